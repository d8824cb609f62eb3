"""The stack `<env>-onprem`: the servers on the company's own cluster, their address, and the VPN gateway's files."""

from infra.config import OnPremConfig
from infra.names import Names
from infra.onprem.exposure import Exposure, ExposureArgs
from infra.onprem.gateway import PART as GATEWAY_NAMESPACE
from infra.onprem.gateway import Gateway, GatewayArgs
from infra.onprem.namespace import Namespace, NamespaceArgs
from infra.onprem.serving import Serving, ServingArgs
from infra.outputs import OnPremOutputs, export, read_aws


def main() -> None:
    config = OnPremConfig.load()
    names = Names(environment=config.environment, role="onprem")
    aws = read_aws(config.organization, config.environment)

    namespace = Namespace(names.component("serving-space"), NamespaceArgs(names=names, namespace=config.namespace))
    serving = Serving(
        names.component("serving"),
        ServingArgs(
            names=names,
            namespace=namespace.name,
            repository=config.image_mirror or aws.image_repository_url,
            image_digest=config.image_digest,
            config=config.serving,
            tls_secret=config.tls_secret,
            registry=config.registry,
            role_arn=aws.onprem_role_arn,
            region=aws.region,
            bucket=aws.registry_bucket,
            registry_endpoint=aws.registry_endpoint,
        ),
    )
    exposure = Exposure(
        names.component("exposure"),
        ExposureArgs(names=names, namespace=namespace.name, selector=serving.selector, config=config.exposure),
    )
    gateway_namespace = Namespace(
        names.component("gateway-space"), NamespaceArgs(names=names, namespace=GATEWAY_NAMESPACE)
    )
    Gateway(
        names.component("gateway"),
        GatewayArgs(
            names=names,
            namespace=gateway_namespace.name,
            config=config.gateway,
            tunnels=aws.tunnels,
            vpc_cidr=aws.vpc_cidr,
        ),
    )

    export(
        OnPremOutputs(
            endpoint_address=exposure.address,
            image=config.image_digest,
            namespace=namespace.name,
            deployment=serving.deployment,
        )
    )
