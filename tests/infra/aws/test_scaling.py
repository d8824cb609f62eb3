from typing import Any

from tests.infra.aws.fleets import declare_fleets, fleets
from tests.infra.engine import Declaration
from tests.infra.settings import OTHER_DIGEST, REMOVED

SALE = {
    "name": "sale",
    "timeZone": "Asia/Tokyo",
    "start": "0 8 1 12 *",
    "end": "0 0 3 12 *",
    "minInstances": 9,
}


def tracking(site: Declaration, slot: str, part: str) -> dict[str, Any]:
    policy = site.one("autoscaling/policy:Policy", f"{slot}-scaling-{part}").inputs
    assert policy["policyType"] == "TargetTrackingScaling"
    assert policy["autoscalingGroupName"] == f"prod-{slot}-group"
    target: dict[str, Any] = policy["targetTrackingConfiguration"]
    return target


def schedules(site: Declaration) -> dict[str, dict[str, Any]]:
    return {found.name: found.inputs for found in site.of("autoscaling/schedule:Schedule")}


def both_slots() -> Declaration:
    return declare_fleets(slots__canary__image=OTHER_DIGEST)


def test_each_slot_follows_its_own_requests() -> None:
    site = both_slots()
    for slot in ("stable", "canary"):
        assert tracking(site, slot, "requests") == {
            "targetValue": 1200,
            "predefinedMetricSpecification": {
                "predefinedMetricType": "ALBRequestCountPerTarget",
                "resourceLabel": f"app/edge/1/targetgroup/{slot}/2",
            },
        }


def test_each_slot_follows_the_queued_work_per_instance_of_its_own() -> None:
    site = both_slots()
    for slot in ("stable", "canary"):
        assert tracking(site, slot, "queue") == {
            "targetValue": 8,
            "customizedMetricSpecification": {
                "namespace": "HybridServing/prod",
                "metricName": "QueuedTexts",
                "metricDimensions": [{"name": "Slot", "value": slot}],
                "statistic": "Average",
            },
        }


def test_a_target_is_what_the_settings_say() -> None:
    site = declare_fleets(fleet__scaling__requestsPerMinute=300, fleet__scaling__queuedTexts=2)
    assert tracking(site, "stable", "requests")["targetValue"] == 300
    assert tracking(site, "stable", "queue")["targetValue"] == 2


def test_a_slot_without_image_has_nothing_that_could_start_an_instance() -> None:
    named = [found.name for kind in (":Policy", ":Schedule") for found in fleets().of(kind)]
    assert named
    assert not [name for name in named if "-canary-" in name]


def test_a_sale_raises_the_floor_of_the_stable_slot_and_its_end_restores_the_slots_own() -> None:
    site = declare_fleets(fleet__schedule=[SALE], slots__canary__image=OTHER_DIGEST)
    found = schedules(site)
    assert set(found) == {"prod-stable-scaling-sale-start", "prod-stable-scaling-sale-end"}
    start, end = found["prod-stable-scaling-sale-start"], found["prod-stable-scaling-sale-end"]
    assert (start["recurrence"], start["minSize"]) == ("0 8 1 12 *", 9)
    assert (end["recurrence"], end["minSize"]) == ("0 0 3 12 *", 2)
    for action in (start, end):
        assert action["timeZone"] == "Asia/Tokyo"
        assert action["autoscalingGroupName"] == "prod-stable-group"


def test_a_sale_touches_neither_the_ceiling_nor_the_capacity_of_the_moment() -> None:
    found = schedules(fleets())
    assert found
    for action in found.values():
        assert action["maxSize"] == action["desiredCapacity"] == -1


def test_without_a_calendar_there_is_no_scheduled_action() -> None:
    assert schedules(declare_fleets(fleet__schedule=REMOVED)) == {}


def test_scheduled_actions_have_names_of_their_own() -> None:
    names = [action["scheduledActionName"] for action in schedules(fleets()).values()]
    assert len(set(names)) == len(names) == 2
