"""The stack `<env>-onprem`: the servers on the company's own cluster, their address, and the VPN gateway."""

from infra.config.gateway import ROUTER
from infra.onprem.autoscaling import Autoscaling, AutoscalingArgs
from infra.onprem.exposure import Exposure, ExposureArgs
from infra.onprem.namespace import Namespace, NamespaceArgs
from infra.onprem.network_policy import NetworkPolicies, NetworkPoliciesArgs
from infra.onprem.serving import PART as SERVING
from infra.onprem.serving import Serving, ServingArgs
from infra.onprem.serving_flows import serving_flows
from infra.onprem.site_watch import SiteWatch, SiteWatchArgs
from infra.outputs import OnPremOutputs, export
from stacks.onprem_pulls import pull_flows, refresh_pull_secrets
from stacks.onprem_releases import find_releases
from stacks.onprem_retraining import start_retraining
from stacks.onprem_site import read_site
from stacks.onprem_vpn import join_aws


def main() -> None:
    site = read_site()
    config, names = site.config, site.names

    namespace = Namespace(names.component("serving-space"), NamespaceArgs(names=names, namespace=config.namespace))
    releases = find_releases(site, namespace.name)
    serving = Serving(
        names.component("serving"),
        ServingArgs(
            names=names,
            namespace=namespace.name,
            image=site.image,
            config=config.serving,
            priority_class=site.priorities.serving,
            tls_secret=config.tls_secret,
            registry=releases.registry,
            aws=releases.aws,
            pull_secrets=site.pull_secrets,
        ),
    )
    NetworkPolicies(
        names.component("serving-network"),
        NetworkPoliciesArgs(
            names=names,
            namespace=namespace.name,
            part=SERVING,
            flows=[
                *serving_flows(config.exposure, config.network_policy, serving.selector, releases.flow),
                *pull_flows(site),
            ],
        ),
    )
    refresh_pull_secrets(site, namespace.name, [*releases.namespaces, *start_retraining(site)])
    if config.serving.autoscaling:
        Autoscaling(
            names.component("autoscaling"),
            AutoscalingArgs(
                names=names,
                namespace=namespace.name,
                deployment=serving.deployment,
                config=config.serving.autoscaling,
            ),
        )
    SiteWatch(
        names.component("watch"),
        SiteWatchArgs(
            names=names,
            namespace=namespace.name,
            config=config.watch,
            servers=config.serving.replicas,
            tunnels=config.gateway.mode != ROUTER,
            cache=config.cache is not None,
        ),
    )
    exposure = Exposure(
        names.component("exposure"),
        ExposureArgs(names=names, namespace=namespace.name, selector=serving.selector, config=config.exposure),
    )
    join_aws(config, names, site.aws)

    export(
        OnPremOutputs(
            endpoint_address=exposure.address,
            image=config.image.digest,
            namespace=namespace.name,
            deployment=serving.deployment,
        )
    )
