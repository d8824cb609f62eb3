from collections.abc import Callable

import pytest

from tests.infra.aws.edges import declare_edge
from tests.infra.engine import Declaration, declare
from tests.infra.settings import aws_example
from tests.infra.sites import aws_site

# Why each: what is lost with it, or who would be cut off by another one in its place.
KEPT = {
    "prod-edge-alb": "DNS points at it",
    "prod-images-serving": "images that run",
    "prod-logs-access-bucket": "who asked for what",
    "prod-logs-flows": "who spoke to whom",
    "prod-logs-servers": "what servers did",
    "prod-logs-tunnels": "when tunnels broke",
    "prod-logs-key-key": "reads the logs",
    "prod-models-bucket": "all releases",
    "prod-models-key-key": "reads the releases",
    "prod-vpn-connection-198-51-100-10": "its addresses and keys are in the site's gateway",
    "prod-vpn-site-198-51-100-10": "a new one is a new connection",
    "prod-vpn-transit": "a new one is a new connection",
}


def unprotected() -> Declaration:
    from stacks import aws

    return declare(aws.main, config=aws_example(protection=False))


@pytest.mark.parametrize(("site", "on"), [(aws_site, True), (unprotected, False)])
def test_protection_covers_all_that_cannot_be_made_again(site: Callable[[], Declaration], on: bool) -> None:
    declared = site()
    assert {r.name for r in declared.resources if r.protect} == (set(KEPT) if on else set())
    assert declared.one(":LoadBalancer", "alb").inputs["enableDeletionProtection"] is on
    assert [bucket.inputs["forceDestroy"] for bucket in declared.of(":Bucket")] == [not on, not on]
    assert declared.one(":Repository").inputs["forceDelete"] is not on


@pytest.mark.parametrize("on", [True, False])
def test_what_dns_points_at_is_protected_by_aws_and_by_the_engine(on: bool) -> None:
    declared = declare_edge(protection=on, rate_limit=100)
    assert {r.name for r in declared.resources if r.protect} == ({"prod-edge-alb"} if on else set())
    assert declared.one(":LoadBalancer", "alb").inputs["enableDeletionProtection"] is on
