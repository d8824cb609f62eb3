from typing import Any

import pytest

from tests.infra import engine
from tests.infra.aws.fleets import declare_fleets, fleets
from tests.infra.engine import Declaration

SLOTS = ("stable", "canary")


def template(slot: str, site: Declaration | None = None) -> dict[str, Any]:
    return (site or fleets()).one(":LaunchTemplate", f"{slot}-template").inputs


def test_instance_metadata_needs_a_token_and_reaches_containers() -> None:
    for slot in SLOTS:
        assert template(slot)["metadataOptions"] == {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 2,
        }


def test_disks_are_encrypted() -> None:
    for slot in SLOTS:
        (disk,) = template(slot)["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] == "true"
        assert disk["ebs"]["volumeType"] == "gp3"
        assert disk["ebs"]["volumeSize"] == 100


def test_the_machine_image_is_the_one_that_the_parameter_names() -> None:
    assert template("stable")["imageId"] == "ami-0123456789abcdef0"
    assert "imageId" not in fleets().one(":LaunchTemplate", "stable-template").secret


def test_a_pinned_machine_image_is_taken_and_no_parameter_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(engine._CALLS, "aws:ssm/getParameter:getParameter")
    site = declare_fleets(fleet__ami__id="ami-0fedcba9876543210")
    for slot in SLOTS:
        assert template(slot, site)["imageId"] == "ami-0fedcba9876543210"


def test_a_machine_image_that_was_baked_is_taken_and_its_disk_is_filled_at_a_known_rate() -> None:
    site = declare_fleets(machine_image="ami-baked")
    assert template("stable", site)["imageId"] == "ami-baked"
    assert template("canary", site)["imageId"] == "ami-0123456789abcdef0"
    rates = [template(slot, site)["blockDeviceMappings"][0]["ebs"].get("volumeInitializationRate") for slot in SLOTS]
    # EBS user guide, "Initialize Amazon EBS volumes".
    assert 100 <= rates[0] <= 300
    assert rates[1] is None


def test_a_disk_without_anything_baked_is_not_paid_to_be_filled() -> None:
    for slot in SLOTS:
        assert "volumeInitializationRate" not in template(slot)["blockDeviceMappings"][0]["ebs"]


def test_instances_and_their_disks_say_whose_they_are() -> None:
    for slot in SLOTS:
        tagged = {spec["resourceType"]: spec["tags"] for spec in template(slot)["tagSpecifications"]}
        assert tagged.keys() == {"instance", "volume"}
        for tags in tagged.values():
            assert tags["Environment"] == "prod"
            assert tags["Slot"] == slot
