"""What is watched: the parts of the site by the names that CloudWatch knows them by, and their metrics.

Alarms and the dashboard take every metric from here, so that both look at the same thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import Input

from infra.aws.metrics import PHASE, SLOT

BALANCER, GROUP, VPN = "AWS/ApplicationELB", "AWS/AutoScaling", "AWS/VPN"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric and its statistic: `Sum`, `SampleCount`, `Average`, `Minimum`, `Maximum`, or a percentile (`p99`)."""

    namespace: str
    name: str
    stat: str
    dimensions: Mapping[str, Input[str]]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """`namespace`: of the instances' own metrics. `load_balancer` and `target_groups` are the ends of their ARNs.

    Target groups and auto scaling groups are by slot. `answering`: the slots that get requests and so must always have
    a healthy host. The dashboard, which is a text, needs plain values in here.
    """

    namespace: str
    load_balancer: Input[str]
    target_groups: Mapping[str, Input[str]]
    groups: Mapping[str, Input[str]]
    answering: Sequence[str]
    connection_ids: Sequence[Input[str]]

    def edge(self, name: str, stat: str) -> Metric:
        """A metric of the whole load balancer (ELB guide, "CloudWatch metrics for your Application Load Balancer")."""
        return Metric(namespace=BALANCER, name=name, stat=stat, dimensions={"LoadBalancer": self.load_balancer})

    def targets(self, slot: str, name: str, stat: str) -> Metric:
        """The same of one slot's share of the requests, or of its hosts."""
        dimensions = {"TargetGroup": self.target_groups[slot], "LoadBalancer": self.load_balancer}
        return Metric(namespace=BALANCER, name=name, stat=stat, dimensions=dimensions)

    def group(self, slot: str, name: str, stat: str = "Average") -> Metric:
        """A metric of the slot's group, once a minute (Auto Scaling user guide, "Amazon CloudWatch metrics")."""
        dimensions = {"AutoScalingGroupName": self.groups[slot]}
        return Metric(namespace=GROUP, name=name, stat=stat, dimensions=dimensions)

    def instances(self, slot: str, name: str, stat: str, phase: str = "") -> Metric:
        """A metric of the instances' own, from `infra.aws.metrics`."""
        dimensions = {SLOT: slot} | ({PHASE: phase} if phase else {})
        return Metric(namespace=self.namespace, name=name, stat=stat, dimensions=dimensions)

    def tunnels(self, connection_id: Input[str], stat: str) -> Metric:
        """1 for a tunnel whose BGP session is up, 0 for one that is down; over both tunnels of a connection.

        Site-to-Site VPN user guide, "Monitor VPN tunnels using Amazon CloudWatch". The tunnels' bytes say nothing of
        their life: BGP alone keeps some flowing, and an idle tunnel is a good one.
        """
        return Metric(namespace=VPN, name="TunnelState", stat=stat, dimensions={"VpnId": connection_id})
