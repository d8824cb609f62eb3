"""The edge, declared as the stack does it, with stand-ins for what the other parts give."""

from typing import Any

import pulumi
from pulumi import Output

from infra.aws.load_balancer import LoadBalancer, LoadBalancerArgs
from infra.names import Names
from tests.infra.engine import Declaration, declare

NAMES = Names(environment="prod", role="aws")


def edge_args(**changes: Any) -> LoadBalancerArgs:
    """Only inside a program: it has Outputs. `changes` are fields of LoadBalancerArgs."""
    values: dict[str, Any] = {
        "names": NAMES,
        "vpc_id": "vpc-1",
        "subnet_ids": [Output.from_input(f"subnet-{zone}") for zone in "abc"],
        "certificate_arn": "arn-of-certificate",
        "weights": {"stable": 100, "canary": 0},
        "access_log_bucket": "access-logs",
        "rate_limit": 0,
        "protection": True,
    }
    return LoadBalancerArgs(**values | changes)


def declare_edge(**changes: Any) -> Declaration:
    """`changes` as in `edge_args`. Every public attribute is an output."""

    def program() -> None:
        made = LoadBalancer("prod-edge", edge_args(**changes))
        for name in ("suffix", "target_group_suffixes", "target_group_arns", "dns_name", "instance_security_group_id"):
            pulumi.export(name, getattr(made, name))

    return declare(program)
