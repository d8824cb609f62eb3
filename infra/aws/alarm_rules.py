"""When somebody is told: the rules for the edge, for each slot and for each VPN connection. Pure functions.

A sum over a list, `SUM([a, b])`, passes over metrics without a value: the load balancer reports no zeros.
"""

from collections.abc import Iterator

from pulumi import Input

from infra.aws import metrics
from infra.aws.rule import BROKEN, LOW, MINUTE, UNKNOWN, Rule
from infra.aws.runbook import runbook
from infra.aws.units import START_SECONDS
from infra.aws.watched import Watched
from infra.config.operations import WatchConfig

# The slot that must answer; the canary's hosts come and go.
MAIN_SLOT = "stable"
# Texts that one server lets wait before it answers 429 (MAX_WAITING of its scheduler), and what is high on average.
QUEUE_FULL, QUEUE_HIGH = 256, 128
# One notice is everyday life, which the group copes with; these many in 15 minutes are a shortage.
SPOT_BURST = 2
SLOW_START = START_SECONDS * 3 // 4


def alarm_rules(config: WatchConfig, watched: Watched) -> list[Rule]:
    """All of them; VPN connections are numbered from 1."""
    rules = [errors(config, watched), _latency(config, watched)]
    for slot in watched.groups:
        rules += [*_hosts(slot, watched), *_capacity(slot, watched), _start(slot, watched), _queue(slot, watched)]
    for number, connection_id in enumerate(watched.connection_ids, start=1):
        rules += _tunnels(number, connection_id, watched)
    return rules


def errors(config: WatchConfig, watched: Watched) -> Rule:
    """5xx in percent of all requests. Without requests there is no value, and no alarm.

    RequestCount is of requests for which there was a target; those refused for want of one come on top.
    """
    return Rule(
        name="errors",
        runbook=runbook("errors", percent=config.error_percent),
        metrics={
            "targets": watched.edge("HTTPCode_Target_5XX_Count", "Sum"),
            "balancer": watched.edge("HTTPCode_ELB_5XX_Count", "Sum"),
            "requests": watched.edge("RequestCount", "Sum"),
            "refused": watched.edge("HTTPCode_ELB_503_Count", "Sum"),
        },
        expression="100 * SUM(FILL([targets, balancer], 0)) / SUM([requests, refused])",
        threshold=config.error_percent,
        periods=5,
        datapoints=3,
    )


def _latency(config: WatchConfig, watched: Watched) -> Rule:
    """Also where requests are so few that it is the slowest of them: a small shop's customers wait as well."""
    return Rule(
        name="latency",
        runbook=runbook("latency", milliseconds=config.latency_p99_ms),
        metrics={"p99": watched.edge("TargetResponseTime", "p99")},
        threshold=config.latency_p99_ms / 1000,
        periods=5,
        datapoints=3,
    )


def _hosts(slot: str, watched: Watched) -> Iterator[Rule]:
    """Sick ones; in the main slot also none: of no host a target group reports no number, for which 0 * desired is."""
    yield Rule(
        name=f"{slot}-unhealthy-host",
        runbook=runbook("unhealthy-host", slot=slot),
        metrics={"hosts": watched.targets(slot, "UnHealthyHostCount", "Maximum")},
        threshold=1,
        periods=5,
    )
    if slot == MAIN_SLOT:
        yield Rule(
            name=f"{slot}-no-healthy-host",
            runbook=runbook("no-healthy-host", slot=slot),
            metrics={
                "desired": watched.group(slot, "GroupDesiredCapacity"),
                "healthy": watched.targets(slot, "HealthyHostCount", "Maximum"),
            },
            expression="IF(desired > 0, SUM([healthy, 0 * desired]), 1)",
            comparison=LOW,
            threshold=1,
            periods=5,
            missing=UNKNOWN,
        )


def _capacity(slot: str, watched: Watched) -> Iterator[Rule]:
    yield Rule(
        name=f"{slot}-no-capacity",
        runbook=runbook("no-capacity", slot=slot),
        metrics={
            "desired": watched.group(slot, "GroupDesiredCapacity"),
            "serving": watched.group(slot, "GroupInServiceInstances"),
        },
        expression="desired - serving",
        threshold=1,
        periods=15,
        missing=UNKNOWN,
    )
    yield Rule(
        name=f"{slot}-spot-interruptions",
        runbook=runbook("spot-interruptions", slot=slot, count=SPOT_BURST),
        metrics={"notices": watched.instances(slot, metrics.SPOT_INTERRUPTIONS, "Sum")},
        threshold=SPOT_BURST,
        period=15 * MINUTE,
    )


def _start(slot: str, watched: Watched) -> Rule:
    """The sum of the longest phases, boot to in service: what the slowest start of 5 minutes took at most."""
    longest = {phase: watched.instances(slot, metrics.START_SECONDS, "Maximum", phase) for phase in metrics.PHASES}
    phases = {phase.replace("-", "_"): metric for phase, metric in longest.items()}
    return Rule(
        name=f"{slot}-slow-start",
        runbook=runbook("slow-start", slot=slot, seconds=SLOW_START, limit=START_SECONDS),
        metrics=phases,
        expression=f"SUM([{', '.join(phases)}])",
        threshold=SLOW_START,
        period=5 * MINUTE,
    )


def _queue(slot: str, watched: Watched) -> Rule:
    return Rule(
        name=f"{slot}-queue",
        runbook=runbook("queue", slot=slot, texts=QUEUE_HIGH, full=QUEUE_FULL),
        metrics={"texts": watched.instances(slot, metrics.QUEUED_TEXTS, "Average")},
        threshold=QUEUE_HIGH,
        periods=5,
    )


def _tunnels(number: int, connection_id: Input[str], watched: Watched) -> Iterator[Rule]:
    for kind, stat in (("any-tunnel-down", "Minimum"), ("all-tunnels-down", "Maximum")):
        yield Rule(
            name=f"vpn-{number}-{kind}",
            runbook=runbook(kind, connection=number),
            metrics={"state": watched.tunnels(connection_id, stat)},
            comparison=LOW,
            threshold=1,
            period=5 * MINUTE,
            missing=BROKEN,
        )
