import base64
from typing import Any

import pytest
import yaml

from infra.aws.units import START_SECONDS, STOP_SECONDS
from tests.infra.aws.fleets import REPOSITORY, declare_fleets, fleets
from tests.infra.engine import Declaration
from tests.infra.settings import DIGEST, OTHER_DIGEST

SLOTS = ("stable", "canary")


def group(slot: str, site: Declaration | None = None) -> dict[str, Any]:
    return (site or fleets()).one("autoscaling/group:Group", f"{slot}-group").inputs


def template(slot: str, site: Declaration | None = None) -> dict[str, Any]:
    return (site or fleets()).one(":LaunchTemplate", f"{slot}-template").inputs


def size(site: Declaration, slot: str) -> tuple[int, int]:
    return group(slot, site)["minSize"], group(slot, site)["maxSize"]


def files(slot: str, site: Declaration | None = None) -> dict[str, str]:
    data = base64.b64decode(template(slot, site)["userData"])
    return {file["path"]: file["content"] for file in yaml.safe_load(data)["write_files"]}


def test_there_are_two_slots_whatever_is_configured() -> None:
    assert {found.name for found in fleets().of("autoscaling/group:Group")} == {
        "prod-stable-group",
        "prod-canary-group",
    }


def test_a_slot_without_image_starts_nothing() -> None:
    assert size(fleets(), "stable") == (2, 12)
    assert size(fleets(), "canary") == (0, 0)
    assert "userData" not in template("canary")


def test_each_slot_runs_its_own_digest() -> None:
    site = declare_fleets(slots__canary__image=OTHER_DIGEST)
    assert files("stable", site)["/etc/serving/image"] == f"{REPOSITORY}@{DIGEST}\n"
    assert files("canary", site)["/etc/serving/image"] == f"{REPOSITORY}@{OTHER_DIGEST}\n"
    assert size(site, "canary") == (1, 4)


def test_a_slot_may_boot_from_a_machine_image_of_its_own() -> None:
    found = declare_fleets(slots__canary__image=OTHER_DIGEST)
    assert template("canary", found)["imageId"] == template("stable", found)["imageId"]
    tried = declare_fleets(slots__canary__image=OTHER_DIGEST, slots__canary__ami="ami-0fedcba987654321f")
    assert template("canary", tried)["imageId"] == "ami-0fedcba987654321f"
    assert template("stable", tried)["imageId"] == template("stable", found)["imageId"]
    pinned = {"fleet__ami__id": "ami-00000001", "slots__stable__ami": "ami-00000002"}
    assert template("stable", declare_fleets(**pinned))["imageId"] == "ami-00000002"
    assert template("canary", declare_fleets(**pinned))["imageId"] == "ami-00000001"


def test_an_instance_knows_its_slot_its_metrics_and_its_log_group() -> None:
    written = files("stable")
    assert "INSTANCE_SLOT=stable\n" in written["/etc/serving/instance.env"]
    assert "INSTANCE_METRICS=HybridServing/prod\n" in written["/etc/serving/instance.env"]
    assert "LOG_GROUP=/hybrid-serving/prod/servers\n" in written["/etc/serving/host.env"]


def test_nobody_but_policies_and_the_burst_controller_sets_the_size_inside_the_bounds() -> None:
    for slot in SLOTS:
        assert "desiredCapacity" not in group(slot)


def test_an_up_does_not_wait_for_a_capacity_that_policies_change_meanwhile() -> None:
    for slot in SLOTS:
        assert group(slot)["waitForCapacityTimeout"] == "0"


def test_the_group_names_the_version_of_its_template() -> None:
    policy = group("stable")["mixedInstancesPolicy"]
    assert policy["launchTemplate"]["launchTemplateSpecification"] == {
        "launchTemplateId": "prod-stable-template-id",
        "version": "7",
    }


def test_instance_types_keep_their_order_of_preference_for_both_ways_to_buy() -> None:
    policy = group("stable")["mixedInstancesPolicy"]
    kinds = [override["instanceType"] for override in policy["launchTemplate"]["overrides"]]
    assert kinds == ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"]
    assert policy["instancesDistribution"] == {
        "onDemandAllocationStrategy": "prioritized",
        "onDemandBaseCapacity": 2,
        "onDemandPercentageAboveBaseCapacity": 0,
        "spotAllocationStrategy": "capacity-optimized-prioritized",
    }


POOL = {"fleet__warmPool__minInstances": 1, "fleet__instanceTypes": ["g6.xlarge"], "fleet__onDemandPercent": 100}


def test_where_there_is_one_type_and_no_spot_the_template_has_it_and_the_group_no_list() -> None:
    site = declare_fleets(slots__canary__image=OTHER_DIGEST, **POOL)
    for slot in SLOTS:
        assert template(slot, site)["instanceType"] == "g6.xlarge"
        assert group(slot, site)["launchTemplate"] == {"id": f"prod-{slot}-template-id", "version": "7"}
        assert group(slot, site)["capacityRebalance"] is False
        assert "mixedInstancesPolicy" not in group(slot, site)


@pytest.mark.parametrize("more", [{"fleet__instanceTypes": ["g6.xlarge"]}, {"fleet__onDemandPercent": 100}, {}])
def test_otherwise_the_group_has_the_list_and_the_template_no_type(more: dict[str, Any]) -> None:
    site = declare_fleets(**more)
    for slot in SLOTS:
        assert group(slot, site)["mixedInstancesPolicy"]
        assert {"launchTemplate", "warmPool"}.isdisjoint(group(slot, site))
        assert "instanceType" not in template(slot, site)


def test_a_warm_pool_of_stopped_instances_belongs_to_the_stable_slot() -> None:
    site = declare_fleets(slots__canary__image=OTHER_DIGEST, **POOL)
    assert group("stable", site)["warmPool"] == {"minSize": 1, "poolState": "Stopped"}
    assert "warmPool" not in group("canary", site)


def test_an_instance_of_a_warm_pool_keeps_its_images_where_a_stop_leaves_them() -> None:
    site = declare_fleets(slots__canary__image=OTHER_DIGEST, **POOL)
    assert "KEEP_IMAGES=yes\n" in files("stable", site)["/etc/serving/host.env"]
    assert "KEEP_IMAGES=no\n" in files("canary", site)["/etc/serving/host.env"]


def test_a_slot_without_image_has_no_pool_either() -> None:
    assert "warmPool" not in group("stable", declare_fleets(slots__stable__image="", **POOL))


def test_an_instance_is_ended_only_after_its_replacement_serves() -> None:
    for slot in SLOTS:
        assert group(slot)["capacityRebalance"] is True
        assert group(slot)["instanceMaintenancePolicy"]["minHealthyPercentage"] == 100
        assert group(slot)["instanceMaintenancePolicy"]["maxHealthyPercentage"] > 100


def test_a_new_version_replaces_running_instances_and_is_never_rolled_back_to_itself() -> None:
    preferences = group("stable")["instanceRefresh"]["preferences"]
    assert preferences["minHealthyPercentage"] == 100
    assert preferences["maxHealthyPercentage"] > 100
    assert preferences["autoRollback"] is False


@pytest.mark.parametrize("slot", SLOTS)
def test_the_first_instance_meets_the_hooks_and_later_changes_reach_them(slot: str) -> None:
    initial = {hook["name"]: hook for hook in group(slot)["initialLifecycleHooks"]}
    declared = {hook.inputs["name"]: hook for hook in fleets().of(":LifecycleHook") if f"-{slot}-" in hook.name}
    assert initial.keys() == declared.keys() == {"ready", "drain"}
    for name, hook in declared.items():
        assert hook.inputs["autoscalingGroupName"] == f"prod-{slot}-group"
        same = {key: value for key, value in hook.inputs.items() if key != "autoscalingGroupName"}
        assert initial[name] == same


def test_an_instance_that_never_answers_is_given_up_and_one_that_leaves_is_let_go() -> None:
    hooks = {hook["name"]: hook for hook in group("stable")["initialLifecycleHooks"]}
    assert hooks["ready"]["lifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING"
    assert hooks["ready"]["defaultResult"] == "ABANDON"
    assert hooks["ready"]["heartbeatTimeout"] >= START_SECONDS
    assert hooks["drain"]["lifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert hooks["drain"]["defaultResult"] == "CONTINUE"
    assert hooks["drain"]["heartbeatTimeout"] > STOP_SECONDS + 60


def test_the_instance_answers_the_hooks_that_its_group_has() -> None:
    hooks = {hook["name"]: hook["lifecycleTransition"] for hook in group("stable")["initialLifecycleHooks"]}
    told = dict(line.split("=", 1) for line in files("stable")["/etc/serving/instance.env"].splitlines())
    assert hooks[told["INSTANCE_LAUNCH_HOOK"]].endswith("LAUNCHING")
    assert hooks[told["INSTANCE_TERMINATION_HOOK"]].endswith("TERMINATING")


def test_a_group_publishes_what_alarms_compare() -> None:
    for slot in SLOTS:
        assert {"GroupDesiredCapacity", "GroupInServiceInstances"} <= set(group(slot)["enabledMetrics"])
        assert group(slot)["metricsGranularity"] == "1Minute"


def test_each_group_serves_its_own_target_group_from_the_given_subnets() -> None:
    for slot in SLOTS:
        assert group(slot)["targetGroupArns"] == [f"arn-of-{slot}"]
        assert group(slot)["healthCheckType"] == "ELB"
        assert group(slot)["vpcZoneIdentifiers"] == ["subnet-a", "subnet-b", "subnet-c"]
