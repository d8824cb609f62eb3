"""Problems between values that are each fine; a value that was refused already (None) is passed over."""

from collections.abc import Iterator

from infra.addresses import overlaps
from infra.config.fleet import FleetConfig, ScheduledCapacity, SlotConfig
from infra.config.network import INTERFACE_ENDPOINTS, NetworkConfig, SiteConfig
from infra.config.registry import RegistryAccess
from infra.images import ImageReference
from infra.names import Names

# As long as AWS lets them be: an account's number, and the names of a bucket (S3, "General purpose bucket naming
# rules") and of a log group (CloudWatch Logs API reference, CreateLogGroup).
_ACCOUNT, _BUCKET, _LOG_GROUP = "1" * 12, "b" * 63, "l" * 512
_DIGEST = "sha256:" + "0" * 64


def range_problems(network: NetworkConfig, site: SiteConfig) -> Iterator[str]:
    named = {
        "network.cidr": (network.cidr,) if network.cidr else (),
        "onprem.ranges": site.ranges or (),
        "network.reserved": network.reserved or (),
    }
    ranges = {f"{field} {cidr}": cidr for field, cidrs in named.items() for cidr in cidrs}
    for first, second in overlaps(ranges):
        yield f"hybrid-serving:{first} overlaps {second}: the sites are routed to each other, choose ranges apart"


def way_out_problems(network: NetworkConfig) -> Iterator[str]:
    """Instances call AWS: by NAT or by endpoints."""
    missing = sorted(set(INTERFACE_ENDPOINTS) - set(network.interface_endpoints or INTERFACE_ENDPOINTS))
    if network.nat == "none" and (missing or network.interface_endpoints == ()):
        yield (
            f"hybrid-serving:network.nat is 'none': without a way out instances need every interface endpoint; missing "
            f"are {', '.join(missing or INTERFACE_ENDPOINTS)}"
        )


def slot_problems(slots: dict[str, SlotConfig]) -> Iterator[str]:
    for slot, settings in slots.items():
        low, high = settings.min_instances, settings.max_instances
        if None not in (low, high) and low > high:
            yield f"hybrid-serving:slots.{slot}.minInstances is {low}: at most maxInstances ({high}) is possible"
        if settings.image and settings.weight and low == 0:
            # No request reaches a server then, and both scaling policies wait for one that does.
            yield (
                f"hybrid-serving:slots.{slot}.minInstances is 0: with weight {settings.weight} the load balancer would "
                "answer these requests with 503; set it to 1 at least, or the weight to 0"
            )
    weights = [settings.weight for settings in slots.values()]
    if None not in weights and sum(weights) != 100:
        yield f"hybrid-serving:slots.*.weight are {weights}: they are percent and must add up to 100"
    canary = slots["canary"]
    if canary.weight and not canary.image:
        yield f"hybrid-serving:slots.canary.weight is {canary.weight}: a slot without image answers nothing, set 0"


def schedule_problems(schedule: tuple[ScheduledCapacity, ...], stable: SlotConfig) -> Iterator[str]:
    """A sale lies between the stable slot's bounds: below its minimum it would take instances away."""
    low, high = stable.min_instances, stable.max_instances
    for index, entry in enumerate(schedule):
        told = f"hybrid-serving:fleet.schedule[{index}].minInstances is {entry.min_instances}"
        if None not in (entry.min_instances, high) and entry.min_instances > high:
            yield f"{told}: at most slots.stable.maxInstances ({high}) is possible"
        if None not in (entry.min_instances, low) and entry.min_instances < low:
            yield f"{told}: at least slots.stable.minInstances ({low}) is needed, it would take instances away"
    names = [entry.name for entry in schedule]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        yield f"hybrid-serving:fleet.schedule has {name!r} {names.count(name)} times: each name may stand only once"


def warm_pool_problems(fleet: FleetConfig) -> Iterator[str]:
    """AWS's pages differ on pools of mixed groups: PutWarmPool used to refuse them, and newer pages do not say so."""
    if fleet.warm_pool is None:
        return
    types, percent = fleet.instance_types, fleet.on_demand_percent
    rule, off = "a warm pool needs one instance type and no spot instances", "or remove fleet.warmPool"
    if types and len(types) > 1:
        yield f"hybrid-serving:fleet.instanceTypes is {list(types)}: {rule}; keep one type, {off}"
    if percent is not None and percent != 100:
        yield f"hybrid-serving:fleet.onDemandPercent is {percent}: {rule}; set it to 100, {off}"


def bake_problems(
    fleet: FleetConfig, registry: RegistryAccess, network: NetworkConfig, slots: dict[str, SlotConfig]
) -> Iterator[str]:
    """A build's machines are Image Builder's: they know no endpoint of ours, and need more than instances do."""
    bake, off = "hybrid-serving:fleet.ami.bake is true", "or set fleet.ami.bake to false"
    if not fleet.ami.bake:
        return
    for key, value in (("awsEndpoint", registry.endpoint), ("caBundle", registry.ca_bundle)):
        if value:
            yield (
                f"{bake} and registry.{key} is {value.splitlines()[0]!r}: a build reaches AWS at its own addresses "
                f"only; remove registry.{key}, {off}"
            )
    for slot, settings in slots.items():
        if settings.ami:
            yield (
                f"{bake} and slots.{slot}.ami is {settings.ami!r}: a build starts from fleet.ami for both slots; "
                f"remove slots.{slot}.ami, {off}"
            )
    if network.nat == "none":
        yield (
            f"{bake} and network.nat is 'none': a build's machines reach Image Builder by a NAT gateway only; set "
            f"network.nat to one or per-zone, {off}"
        )


def user_data_problems(registry: RegistryAccess, fleet: FleetConfig, *, environment: str, region: str) -> Iterator[str]:
    """The certificates travel in the user data, with names that are known only when they exist."""
    if not (registry.ca_bundle and environment and region):
        return
    from infra.aws.bootstrap import Bootstrap, user_data  # the other sites' stacks need no AWS SDK for their settings

    names = Names(environment=environment, role="aws")
    repository = f"{_ACCOUNT}.dkr.ecr.{region}.amazonaws.com{names.iam_path()}serving"
    try:
        user_data(
            Bootstrap(
                image=ImageReference(repository=repository, digest=_DIGEST),
                slot="stable",
                region=region,
                bucket=_BUCKET,
                gpu=fleet.gpu is not False,
                metrics=names.metrics_namespace(),
                log_group=_LOG_GROUP,
                endpoint=registry.endpoint or "",
                ca_bundle=registry.ca_bundle,
                pooled=True,
                api_keys_parameter=fleet.api_keys_parameter or "",
            )
        )
    except ValueError as error:
        yield f"hybrid-serving:{error}"
