"""Instances whose user data names an older image, replaced one at a time: what an instance refresh does on AWS.

A launch template's new version is only for instances to come. moto has no instance refresh.
"""

from pathlib import Path

from scripts.localcloud.aws import api
from scripts.localcloud.aws.data_plane import places
from scripts.localcloud.aws.data_plane.load_balancers import target_health
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import step
from scripts.localcloud.processes import wait_until

IMAGE_FILE = "root/etc/serving/image"


def replace_instances_of_other_images(cloud: LocalCloud, image: str, healthy: int) -> None:
    """Replace each instance that does not run ``image`` (a digest), and wait for ``healthy`` targets after each.

    One instance is missing meanwhile: a group of a single one answers nothing for the time of a start.
    """
    wait_for_targets(cloud, healthy)
    groups = api.client(cloud, "autoscaling").describe_auto_scaling_instances()["AutoScalingInstances"]
    members = {member["InstanceId"] for member in groups if member["LifecycleState"] == "InService"}
    for name in sorted(members & set(old_instances(cloud, image))):
        with step(f"replace instance {name}, whose image is another", "20 s"):
            api.client(cloud, "autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=name, ShouldDecrementDesiredCapacity=False
            )
            _wait_for_end(places.instances(cloud) / name)
            wait_for_targets(cloud, healthy)


def old_instances(cloud: LocalCloud, image: str) -> list[str]:
    """Ids of the instances that run another image, by the file that their user data wrote."""
    files = sorted(places.instances(cloud).glob(f"*/{IMAGE_FILE}"))
    return [file.relative_to(places.instances(cloud)).parts[0] for file in files if image not in file.read_text()]


def _wait_for_end(folder: Path) -> None:
    wait_until(lambda: not folder.exists(), what=f"end of instance {folder.name}", timeout=120)


def wait_for_targets(cloud: LocalCloud, healthy: int) -> None:
    """Wait until at least ``healthy`` targets pass the load balancer's checks."""
    wait_until(
        lambda: sum(sum(targets.values()) for targets in target_health(cloud).values()) >= healthy,
        what=f"{healthy} healthy instances behind the load balancer (see {places.status(cloud)})",
        timeout=180,
    )
