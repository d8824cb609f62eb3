from collections.abc import Callable

import pytest

from tests.infra.engine import Declaration, declare
from tests.infra.settings import aws_example
from tests.infra.sites import aws_site

STATEFUL = {"prod-vpn-connection", "prod-models-bucket", "prod-images-serving"}


def unprotected() -> Declaration:
    from stacks import aws

    return declare(aws.main, config=aws_example(protection=False))


@pytest.mark.parametrize(("site", "on"), [(aws_site, True), (unprotected, False)])
def test_protection_covers_all_that_cannot_be_made_again(site: Callable[[], Declaration], on: bool) -> None:
    declared = site()
    assert {r.name for r in declared.resources if r.protect} == (STATEFUL if on else set())
    assert declared.one(":LoadBalancer", "alb").inputs["enableDeletionProtection"] is on
    assert declared.one(":Bucket").inputs["forceDestroy"] is not on
    assert declared.one(":Repository").inputs["forceDelete"] is not on
