"""Promises of `registry.caBundle`: the settings refuse what user data has no room for, and nothing that fits."""

import base64
from functools import cache

import pytest

from infra.aws import bootstrap
from infra.aws.bootstrap import MOST_BYTES, Bootstrap
from infra.config import AwsConfig, ConfigError
from infra.config.source import Settings
from tests.infra.aws.fleets import declare_fleets
from tests.infra.settings import REMOVED, aws_example, example
from tests.infra.sites import aws_site

LINE = "M" * 64 + "\n"


def bundle(lines: int) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{LINE * lines}-----END CERTIFICATE-----\n"


def parse(lines: int) -> AwsConfig:
    return AwsConfig.parse(Settings.of("prod-aws", aws_example(registry__caBundle=bundle(lines))))


@cache
def most() -> int:
    """The lines of the longest bundle that the settings take."""
    low, high = 1, 1000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            parse(middle)
            low = middle
        except ConfigError:
            high = middle
    return low


def test_a_bundle_for_which_user_data_has_no_room_is_refused_before_the_first_resource() -> None:
    with pytest.raises(ConfigError) as refusal:
        parse(30_000 // len(LINE))
    (problem,) = refusal.value.problems
    assert problem.startswith("hybrid-serving:registry.caBundle has 30019 characters")
    assert "EC2 accepts 16384; keep only the certificates" in problem


def test_another_problem_is_told_alone() -> None:
    changes = {"registry.caBundle": bundle(1), "aws:region": REMOVED, "fleet.gpu": "perhaps"}
    with pytest.raises(ConfigError) as refusal:
        AwsConfig.parse(Settings.of("prod-aws", example("aws", changes)))
    assert [problem.split(" ")[0] for problem in refusal.value.problems if "instanceTypes" not in problem] == [
        "aws:region",
        "hybrid-serving:fleet.gpu",
    ]


def test_certificates_of_a_usual_chain_fit() -> None:
    assert len(bundle(most())) > 4000


def test_what_the_settings_take_is_never_too_long_for_the_instances() -> None:
    site = declare_fleets(registry__caBundle=bundle(most()))
    data = base64.b64decode(site.one(":LaunchTemplate", "stable-template").inputs["userData"])
    assert data.count(LINE.strip().encode()) == most()
    assert len(data) <= MOST_BYTES


def test_the_check_knows_the_repositorys_name(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Bootstrap] = []
    monkeypatch.setattr(bootstrap, "user_data", checked.append)
    parse(1)
    name = aws_site().one("ecr/repository:Repository").inputs["name"]
    assert [one.image.repository.partition("/")[2] for one in checked] == [name]
