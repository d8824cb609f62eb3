"""Both slots' fleets, declared as the stack does it, with stand-ins for what the other parts give."""

from functools import cache
from typing import Any

from pulumi import Output

from infra.aws.fleet import Fleet, FleetArgs
from infra.config import AwsConfig
from infra.names import Names
from tests.infra.engine import Declaration, declare
from tests.infra.settings import aws_example

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving"
LABEL = "app/edge/1/targetgroup/{slot}/2"


def declare_fleets(*, machine_image: str | None = None, **changes: Any) -> Declaration:
    """The production example with an image in its stable slot; `changes` as in `aws_example`.

    `machine_image` is what the stable slot is given.
    """
    return declare(lambda: _program(machine_image), config=aws_example(**changes))


@cache
def fleets() -> Declaration:
    return declare_fleets()


def _program(machine_image: str | None) -> None:
    config, names = AwsConfig.load(), Names(environment="prod", role="aws")
    for slot, settings in config.slots.items():
        Fleet(
            names.component(slot),
            FleetArgs(
                names=names,
                slot=slot,
                slot_config=settings,
                config=config.fleet,
                registry=config.registry,
                region=config.region,
                bucket="models",
                repository_url=REPOSITORY,
                subnet_ids=[Output.from_input(f"subnet-{zone}") for zone in "abc"],
                security_group_id="sg-instances",
                instance_profile_name="instances",
                target_group_arn=f"arn-of-{slot}",
                request_label=LABEL.format(slot=slot),
                log_group_name="/hybrid-serving/prod/servers",
                machine_image=Output.from_input(machine_image) if machine_image and slot == "stable" else None,
            ),
        )
