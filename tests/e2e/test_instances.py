"""What every instance on AWS tells of itself, and how one of them ends while customers go on asking."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import pytest

from infra.aws.metrics import PHASES, QUEUED_TEXTS, SPOT_INTERRUPTIONS, START_SECONDS
from scripts.localcloud import customer
from scripts.localcloud.aws import api, roll
from scripts.localcloud.aws.data_plane import places
from scripts.localcloud.aws.data_plane.read import INTERRUPTION_TAG
from scripts.localcloud.aws.data_plane.user_data import AGENT_FILE, environment
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.processes import wait_until

pytestmark = pytest.mark.e2e

# A machine without a GPU has no driver to wait for.
LOCAL_PHASES = tuple(phase for phase in PHASES if phase != "driver")
# What the agent logs on the way from a spot notice to its last word.
END = (
    "spot capacity is taken back",
    "the group was asked to replace this instance",
    "the group ends this instance",
    "termination hook completed",
)


class Fleet:
    """The instances of the local cloud, and what CloudWatch got from them."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.asg, self.cloudwatch, self.ec2 = (api.client(cloud, n) for n in ("autoscaling", "cloudwatch", "ec2"))

    def serving(self) -> list[str]:
        members = self.asg.describe_auto_scaling_instances()["AutoScalingInstances"]
        return sorted(member["InstanceId"] for member in members if member["LifecycleState"] == "InService")

    def state(self, instance: str) -> str:
        found = self.asg.describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"]
        return str(found[0]["LifecycleState"]) if found else "gone"

    def folder(self, instance: str) -> Path:
        return places.instances(self.cloud) / instance

    def namespace(self) -> str:
        file = self.folder(self.serving()[0]) / "root" / AGENT_FILE.lstrip("/")
        return environment(file.read_text())["INSTANCE_METRICS"]

    def metric(self, name: str, **dimensions: str) -> dict[str, Any]:
        """Sum, average and number of all values published since the cloud is up."""
        now = datetime.now(UTC)
        points = self.cloudwatch.get_metric_statistics(
            Namespace=self.namespace(),
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(minutes=1),
            Period=172800,
            Statistics=["Sum", "Average", "SampleCount"],
        )["Datapoints"]
        return dict(points[0]) if points else {"Sum": 0.0, "Average": 0.0, "SampleCount": 0.0}

    def starts(self) -> dict[str, float]:
        """Phase → how many instances published it."""
        return {p: self.metric(START_SECONDS, Slot="stable", Phase=p)["SampleCount"] for p in LOCAL_PHASES}


@pytest.fixture(scope="module")
def fleet(local_cloud: LocalCloud) -> Fleet:
    found = Fleet(local_cloud)
    roll.wait_for_targets(local_cloud, len(found.serving()))
    return found


def events(log: TextIO) -> list[dict[str, Any]]:
    log.seek(0)
    return [json.loads(line) for line in log.read().splitlines() if line.startswith("{")]


def started(fleet: Fleet, instance: str) -> dict[str, float]:
    """The seconds of each phase as the instance's agent logged them once they were published."""
    with (fleet.folder(instance) / "agent.log").open() as log:
        told = [event for event in events(log) if event["event"] == "started"]
    return {key: value for key, value in told[0].items() if key not in ("time", "level", "event")} if told else {}


def test_every_instance_has_published_the_phases_of_its_start_in_their_order(fleet: Fleet) -> None:
    serving = fleet.serving()
    for instance in serving:
        phases = wait_until(lambda instance=instance: started(fleet, instance), what=f"start of {instance}", timeout=60)
        assert tuple(phases) == LOCAL_PHASES
        assert phases["weights"] + phases["warm-up"] > 0, "a release is fetched and loaded in no time?"
    counts = fleet.starts()
    assert len(set(counts.values())) == 1, f"an instance published some phases only: {counts}"
    assert counts["boot"] >= len(serving) > 0
    averages = [fleet.metric(START_SECONDS, Slot="stable", Phase=phase)["Average"] for phase in LOCAL_PHASES]
    assert all(0 <= seconds < 600 for seconds in averages), averages


def test_every_instance_publishes_its_queue(fleet: Fleet) -> None:
    before = fleet.metric(QUEUED_TEXTS, Slot="stable")["SampleCount"]
    enough = before + len(fleet.serving())
    wait_until(
        lambda: fleet.metric(QUEUED_TEXTS, Slot="stable")["SampleCount"] >= enough, what="queued texts", timeout=90
    )


def test_a_spot_instance_that_is_taken_back_is_replaced_and_no_request_is_lost(fleet: Fleet) -> None:
    """Two instances at least: what one of a single slot loses is another question."""
    before, starts = fleet.serving(), fleet.starts()["in-service"]
    noticed = fleet.metric(SPOT_INTERRUPTIONS, Slot="stable")["Sum"]
    assert len(before) >= 2
    taken, asked, states = before[0], 0, []
    with (
        (fleet.folder(taken) / "server.log").open() as server,
        (fleet.folder(taken) / "agent.log").open() as agent,
    ):
        when = (datetime.now(UTC) + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        fleet.ec2.create_tags(Resources=[taken], Tags=[{"Key": INTERRUPTION_TAG, "Value": when}])
        end = datetime.now(UTC) + timedelta(minutes=2)
        while fleet.folder(taken).exists():
            customer.ask(fleet.cloud, "warm shoes", site="aws")  # raises when a request is lost
            asked += 1
            states.append(fleet.state(taken))
            assert datetime.now(UTC) < end, f"{taken} is still here when its capacity is taken: {states[-1]}"
        told = [event["event"] for event in events(agent) if event["event"] in END]
        drained = [event["event"] for event in events(server) if event["event"] in ("draining", "stopped")]
    assert told == list(END)
    assert drained == ["draining", "stopped"]
    assert "Terminating:Wait" in states
    assert asked > 10
    assert fleet.metric(SPOT_INTERRUPTIONS, Slot="stable")["Sum"] == noticed + 1
    roll.wait_for_targets(fleet.cloud, len(before))
    assert len(fleet.serving()) == len(before)
    assert taken not in fleet.serving()
    wait_until(lambda: fleet.starts()["in-service"] == starts + 1, what="the new instance's start", timeout=60)
