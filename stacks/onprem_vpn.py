"""The site's end of the VPN in the stack `<env>-onprem`: a pod, or the text by which a router is set up."""

from infra.config import OnPremConfig
from infra.config.gateway import ROUTER
from infra.names import Names
from infra.onprem.gateway import PART, Gateway, GatewayArgs
from infra.onprem.namespace import Namespace, NamespaceArgs
from infra.onprem.router import router_output
from infra.outputs import AwsOutputs, RouterOutputs, export


def join_aws(config: OnPremConfig, names: Names, aws: AwsOutputs) -> None:
    if config.gateway.mode == ROUTER:
        export(RouterOutputs(router_configuration=router_output(config.gateway, aws.tunnels, aws.vpc_cidr)))
        return
    namespace = Namespace(
        names.component("gateway-space"),
        # The node's network, which the gateway needs, is refused by every level below.
        NamespaceArgs(names=names, namespace=PART, pod_security="privileged"),
    )
    Gateway(
        names.component("gateway"),
        GatewayArgs(
            names=names,
            namespace=namespace.name,
            config=config.gateway,
            tunnels=aws.tunnels,
            vpc_cidr=aws.vpc_cidr,
        ),
    )
