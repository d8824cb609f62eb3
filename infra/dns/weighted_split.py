"""The service's name: two weighted records in the company's existing zone, one per site."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

# AWS fixes an alias to a load balancer at 60 s; records of one group must not differ.
TTL_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class WeightedSplitArgs:
    """`weights` and `health_check_ids` are by site, `onprem` and `aws`; a healthy site gets weight / sum."""

    zone: str
    service_name: str
    weights: Mapping[str, int]
    health_check_ids: Mapping[str, Input[str]]
    onprem_address: Input[str]
    load_balancer_dns_name: Input[str]
    load_balancer_zone_id: Input[str]


class WeightedSplit(pulumi.ComponentResource):
    """Two A records of one name. The zone is looked up by name and never managed: the company had it before us."""

    zone_id: Output[str]

    def __init__(self, name: str, args: WeightedSplitArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:dns:WeightedSplit", name, None, opts)
        self._name, self._args = name, args
        self.zone_id = aws.route53.get_zone_output(
            name=args.zone, private_zone=False, opts=pulumi.InvokeOutputOptions(parent=self)
        ).zone_id
        self._record("onprem", records=[args.onprem_address], ttl=TTL_SECONDS)
        balancer = aws.route53.RecordAliasArgs(
            name=args.load_balancer_dns_name,
            zone_id=args.load_balancer_zone_id,
            # The check attached to the record asks a server through the same load balancer: one judge is enough.
            evaluate_target_health=False,
        )
        self._record("aws", aliases=[balancer])
        self.register_outputs({"zone_id": self.zone_id})

    def _record(self, site: str, **answer: Any) -> None:
        aws.route53.Record(
            f"{self._name}-{site}",
            zone_id=self.zone_id,
            name=self._args.service_name,
            type="A",
            set_identifier=site,
            weighted_routing_policies=[aws.route53.RecordWeightedRoutingPolicyArgs(weight=self._args.weights[site])],
            health_check_id=self._args.health_check_ids[site],
            opts=ResourceOptions(parent=self),
            **answer,
        )
