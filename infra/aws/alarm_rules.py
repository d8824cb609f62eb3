"""When somebody is told: the rules for the edge, for each slot and for each VPN connection. Pure functions.

The load balancer reports no zeros, so most metrics lack most values. CloudWatch's guide ("Using math expressions with
CloudWatch metrics", metric math syntax) takes a missing value as 0 in arithmetic and in an average over a list, and has
FILL to write others; of metrics that were never published it says nothing, and practice knows arithmetic that then has
no result. So expressions are sums over filled lists, which come out the same either way.
"""

from collections.abc import Iterator

from pulumi import Input

from infra.aws.rule import BROKEN, LOW, MINUTE, Rule
from infra.aws.runbook import runbook
from infra.aws.slot_rules import slot_rules
from infra.aws.watched import Watched
from infra.config.operations import WatchConfig


def alarm_rules(config: WatchConfig, watched: Watched) -> list[Rule]:
    """All of them; VPN connections are numbered from 1."""
    rules = [errors(config, watched), _latency(config, watched)]
    for slot in watched.groups:
        rules += slot_rules(slot, watched)
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
        expression="100 * SUM(FILL([targets, balancer], 0)) / SUM(FILL([requests, refused], 0))",
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
