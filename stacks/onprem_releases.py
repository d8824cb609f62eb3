"""Where the servers of the stack `<env>-onprem` get their releases: from the site's own cache, or straight from AWS."""

from dataclasses import dataclass

from pulumi import Input, Output

from infra.onprem.aws_access import AwsAccess
from infra.onprem.flow import Flow
from infra.onprem.namespace import Namespace, NamespaceArgs
from infra.onprem.network_policy import NetworkPolicies, NetworkPoliciesArgs
from infra.onprem.registry_cache import PART, RegistryCache, RegistryCacheArgs
from infra.onprem.registry_cache_flows import cache_flows, from_cache
from infra.onprem.registry_cache_volume import pod_security
from infra.onprem.serving import PART as SERVING
from infra.onprem.serving_flows import from_aws
from stacks.onprem_site import Site


@dataclass(frozen=True, kw_only=True)
class Releases:
    """What a server is told: the registry's address, how it gets at AWS (None: it need not), and the flow it needs.

    `namespaces` are those in which pods were declared for it.
    """

    registry: Input[str]
    aws: AwsAccess | None
    flow: Flow
    namespaces: tuple[Input[str], ...]


def find_releases(site: Site, serving: Input[str]) -> Releases:
    """Declare the cache, if there is to be one, for the servers in the namespace `serving`."""
    names, cache, policy = site.names, site.config.cache, site.config.network_policy
    servers, access = names.selector(SERVING), site.access(site.aws.onprem_role_arn)
    if cache is None:
        registry = Output.concat("s3://", site.aws.registry_bucket)
        return Releases(registry=registry, aws=access, flow=from_aws(policy.aws_ranges, policy, servers), namespaces=())
    space = Namespace(
        names.component("cache-space"),
        NamespaceArgs(names=names, namespace=PART, pod_security=pod_security(cache)),
    )
    caches = RegistryCache(
        names.component("cache"),
        RegistryCacheArgs(
            names=names,
            namespace=space.name,
            image=site.image,
            config=cache,
            priority_class=site.priorities.serving,
            bucket=site.aws.registry_bucket,
            aws=access,
            pull_secrets=site.pull_secrets,
            rollout_seconds=site.config.serving.rollout_seconds,
        ),
    )
    NetworkPolicies(
        names.component("cache-network"),
        NetworkPoliciesArgs(
            names=names,
            namespace=space.name,
            part=PART,
            flows=cache_flows(policy, caches.selector, serving, servers),
        ),
    )
    flow = from_cache(space.name, caches.selector, servers)
    return Releases(registry=caches.address, aws=None, flow=flow, namespaces=(space.name,))
