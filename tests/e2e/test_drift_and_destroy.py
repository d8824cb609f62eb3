"""Drift made by hand is found and put right; protection protects; destroy leaves nothing."""

import json
from functools import partial

import pytest

from infra.names import PROJECT
from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.processes import wait_until
from scripts.localcloud.topology import ZONE
from tests.cloud_inventory import holdings


@pytest.mark.cloud
def test_a_change_made_by_hand_in_aws_is_found_and_put_right(local_cloud: LocalCloud, stacks: dict[str, Stack]) -> None:
    ec2 = api.client(local_cloud, "ec2")
    vpc = stacks["aws"].outputs()["vpc_id"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "changed by hand"}])
    with pytest.raises(UserError, match="no changes were expected"):
        stacks["aws"].preview("--refresh", "--expect-no-changes")
    stacks["aws"].up("--refresh")
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}, {"Name": "key", "Values": ["Name"]}])
    assert [tag["Value"] for tag in tags["Tags"]] != ["changed by hand"]
    stacks["aws"].preview("--refresh", "--expect-no-changes")


@pytest.mark.kubernetes
def test_a_change_made_by_hand_in_the_cluster_is_put_right(local_cloud: LocalCloud, stacks: dict[str, Stack]) -> None:
    name = stacks["onprem"].outputs()["deployment"]

    def history() -> int:
        found = kubectl(local_cloud, "get", f"deployment/{name}", "-n", "serving", "-o", "json").stdout
        return int(json.loads(found)["spec"]["revisionHistoryLimit"])

    wanted = history()
    change = json.dumps({"spec": {"revisionHistoryLimit": wanted + 1}})
    kubectl(local_cloud, "patch", f"deployment/{name}", "-n", "serving", "--patch", change)
    with pytest.raises(UserError, match="no changes were expected"):
        stacks["onprem"].preview("--refresh", "--expect-no-changes")
    stacks["onprem"].up("--refresh")
    assert history() == wanted


@pytest.mark.cloud
@pytest.mark.kubernetes
@pytest.mark.destroys
def test_destroy_leaves_nothing_but_what_was_there_before_and_keys_pending_deletion(
    local_cloud: LocalCloud, stacks: dict[str, Stack]
) -> None:
    for role in ("dns", "onprem", "aws"):
        stacks[role].destroy()
        assert stacks[role].resources() == []
    # The zone is the company's own, from before the stacks.
    assert holdings(partial(api.client, local_cloud)) == {"route53 list_hosted_zones": [f"{ZONE}."]}
    for kind in ("namespaces", "priorityclasses", "customresourcedefinitions"):
        left = kubectl(local_cloud, "get", kind, "-l", f"app.kubernetes.io/part-of={PROJECT}", "-o", "name")
        assert left.stdout == ""
    wait_until(lambda: not list((local_cloud.run / "instances").glob("*/root")), what="the instances' end", timeout=60)
