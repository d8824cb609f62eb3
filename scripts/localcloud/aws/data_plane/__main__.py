"""The data plane's daemon: reads what is declared every second and makes reality follow."""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from scripts.localcloud import topology
from scripts.localcloud.aws import api
from scripts.localcloud.aws.data_plane import identity, places
from scripts.localcloud.aws.data_plane.instances import Instances
from scripts.localcloud.aws.data_plane.load_balancers import LoadBalancers
from scripts.localcloud.aws.data_plane.read import Reader
from scripts.localcloud.aws.data_plane.runtime import ContainerRuntime
from scripts.localcloud.aws.data_plane.view import Snapshot
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.dns import view as dns
from scripts.localcloud.files import write_json
from scripts.localcloud.vpn.aws_ends import Ends
from scripts.localcloud.vpn.place import Place

# One reading is about fifteen calls: 60 ms of processor time, here and in the API together.
PERIOD_SECONDS = 1.0


class DataPlane:
    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._reader = Reader(cloud.moto_url, topology.REGION)
        self._balancers = LoadBalancers(cloud)
        self._instances = Instances(places.instances(cloud), ContainerRuntime(cloud))
        self._tunnel_ends = Ends(Place.of(cloud), api.client(cloud, "ec2"))
        self._told: set[str] = set()

    def step(self) -> None:
        """Read once and take one step in every part; a part that fails is reported and tried again next time."""
        try:
            snapshot = self._reader.read()
        except (BotoCoreError, ClientError) as error:
            # Nothing is known, so nothing is changed: what runs goes on.
            return self._report([f"the AWS API does not answer: {error}"])
        problems = list(snapshot.problems)
        parts: dict[str, Callable[[], object]] = {
            # Metadata before instances: one that starts or ends asks for it at once.
            "metadata": lambda: self._write_metadata(snapshot),
            # Load balancers before instances: one that leaves gets no new requests once it is told to stop.
            "load balancers": lambda: self._balancers.apply(snapshot),
            "dns": lambda: self._write_dns(snapshot),
            "vpn": self._tunnel_ends.step,
            "instances": lambda: self._instances.follow(snapshot.instances),
        }
        for name, part in parts.items():
            try:
                part()
            except (UserError, OSError) as error:
                problems.append(f"{name}: {error}")
        return self._report(problems + self._instances.problems())

    def _write_metadata(self, snapshot: Snapshot) -> None:
        file = places.metadata(self._cloud)
        before = json.loads(file.read_text()) if file.exists() else {}
        held = self._instances.held()
        write_json(file, identity.document(snapshot.instances, topology.REGION, before, held))

    def _write_dns(self, snapshot: Snapshot) -> None:
        view = dns.View(
            zones=snapshot.zones,
            health_checks=snapshot.health_checks,
            load_balancers=self._balancers.dns_view(snapshot),
        )
        write_json(dns.view_file(self._cloud), dns.to_json(view))

    def _report(self, problems: list[str]) -> None:
        """Print every problem once, and keep the state where people and other programs can see it."""
        for text in [text for text in problems if text not in self._told]:
            print(text, flush=True)
        self._told = set(problems)
        write_json(
            places.status(self._cloud),
            {
                "problems": problems,
                "instances": self._instances.status(),
                "targets": self._balancers.target_health(),
            },
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path, required=True, help="root of the checkout whose local cloud it is")
    plane = DataPlane(LocalCloud.find(parser.parse_args().checkout))
    while True:
        began = time.monotonic()
        try:
            plane.step()
        except Exception:  # a daemon outlives a reading it cannot make sense of
            traceback.print_exc()
        time.sleep(max(0.0, began + PERIOD_SECONDS - time.monotonic()))


if __name__ == "__main__":
    sys.exit(main())
