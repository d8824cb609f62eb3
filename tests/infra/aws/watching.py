"""A site to be watched, with plain values, and what CloudWatch documents about it."""

from infra.aws.rule import Rule
from infra.aws.watched import BALANCER, GROUP, VPN, Watched
from infra.config.operations import WatchConfig

CONFIG = WatchConfig(emails=("oncall@shop.example",), monthly_budget_usd=6000, latency_p99_ms=300, error_percent=1)
WATCHED = Watched(
    namespace="HybridServing/prod",
    load_balancer="app/edge/1",
    target_groups={"stable": "targetgroup/stable/2", "canary": "targetgroup/canary/3"},
    groups={"stable": "group-stable", "canary": "group-canary"},
    answering=["stable"],
    connection_ids=["vpn-1", "vpn-2"],
)
# Metric -> the sets of dimensions under which AWS publishes it (ELB, Auto Scaling and VPN guides).
EDGE, TARGETS = {"LoadBalancer"}, {"TargetGroup", "LoadBalancer"}
DOCUMENTED: dict[tuple[str, str], list[set[str]]] = {
    (BALANCER, "RequestCount"): [EDGE, TARGETS],
    (BALANCER, "HTTPCode_Target_5XX_Count"): [EDGE, TARGETS],
    (BALANCER, "HTTPCode_ELB_5XX_Count"): [EDGE],
    (BALANCER, "HTTPCode_ELB_503_Count"): [EDGE],
    (BALANCER, "TargetResponseTime"): [EDGE, TARGETS],
    (BALANCER, "HealthyHostCount"): [TARGETS],
    (BALANCER, "UnHealthyHostCount"): [TARGETS],
    (GROUP, "GroupDesiredCapacity"): [{"AutoScalingGroupName"}],
    (GROUP, "GroupInServiceInstances"): [{"AutoScalingGroupName"}],
    (GROUP, "GroupMaxSize"): [{"AutoScalingGroupName"}],
    (GROUP, "GroupPendingInstances"): [{"AutoScalingGroupName"}],
    (VPN, "TunnelState"): [{"VpnId"}],
    # Our own, as the instances publish them.
    ("HybridServing/prod", "QueuedTexts"): [{"Slot"}],
    ("HybridServing/prod", "QueuedSeconds"): [{"Slot"}],
    ("HybridServing/prod", "SpotInterruptions"): [{"Slot"}],
    ("HybridServing/prod", "StartSeconds"): [{"Slot", "Phase"}],
}


def rules(config: WatchConfig = CONFIG, watched: Watched = WATCHED) -> dict[str, Rule]:
    """All rules by name."""
    from infra.aws.alarm_rules import alarm_rules

    return {rule.name: rule for rule in alarm_rules(config, watched)}
