"""Site, internet, AWS's two tunnel ends, transit gateway and VPC in network namespaces of their own.

Independent of any local cloud: other names, and everything goes with the namespaces.
"""

import json
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from infra.onprem.gateway_agent.reasons import Status
from infra.onprem.gateway_files import Site, gateway_files
from infra.outputs import Tunnel
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import run
from scripts.localcloud.vpn import aws_ends, programs, site_end, view
from scripts.localcloud.vpn.place import Place
from tests.network.places import GATEWAY, NODE, enter, silent

SITE = Site(
    address=GATEWAY,
    asn=65010,
    ranges=("10.10.0.0/24", "10.42.0.0/24"),
    aws_ranges=("10.30.0.0/16",),
    node_address=NODE,
    ipsec="userspace",
)
WAIT_SECONDS = 90.0  # the machine may be busy with other things


@dataclass
class Lab:
    """`vpn` is what EC2 said, `tunnels` what the site was told; both can be changed, then `aws` and `site` follow."""

    place: Place
    vpn: view.Vpn
    tunnels: tuple[Tunnel, ...]

    def aws(self, vpn: view.Vpn | None = None) -> None:
        """Make AWS's side what EC2 says."""
        aws_ends.follow(self.place, vpn or self.vpn)

    def site(self, tunnels: Sequence[Tunnel] | None = None, site: Site = SITE) -> int:
        """Hand the site's gateway its files, as a changed Secret would; returns its pid."""
        return self.place.run(site_end.NAME, "onprem", gateway_files(tunnels or self.tunnels, site))

    def up(self) -> list[Status]:
        return site_end.wait(self.place, WAIT_SECONDS)

    def status(self) -> list[Status]:
        return self.place.status(site_end.NAME)

    def until(self, check: Callable[[list[Status]], bool], what: str) -> list[Status]:
        """The site's tunnels, once they are as wanted."""

        def found() -> list[Status]:
            status = self.status()
            return status if check(status) else []

        try:
            return list(wait_until(found, what=what, timeout=WAIT_SECONDS))
        except Exception as error:
            raise AssertionError(f"{error}\n" + "\n".join(map(str, self.status()))) from None

    def inside(self, role: str, *argv: str) -> str:
        return run(enter(self.place, role, *argv)).stdout

    def swanctl(self, daemon: str, *argv: str) -> str:
        """Ask one charon of the site."""
        run_folder = self.place.sockets / site_end.NAME
        command = [*programs.enter(), "env", f"STRONGSWAN_CONF={run_folder / daemon}.conf", "swanctl", *argv]
        return self.inside("onprem", *command, "--uri", f"unix://{run_folder / daemon}.vici")

    def restart(self, daemon: str) -> None:
        """Kill one charon of the site: the gateway starts it again with the files that are there now."""
        os.kill(self.charon(daemon), signal.SIGKILL)

    def charon(self, daemon: str) -> int:
        """The pid of one charon of the site."""
        conf = f"STRONGSWAN_CONF={self.place.sockets / site_end.NAME / daemon}.conf"
        return self._process("charon-systemd", "environ", conf)

    def bird(self) -> int:
        """The pid of the site's BIRD."""
        return self._process("bird", "cmdline", str(self.place.sockets / site_end.NAME / "bird.ctl"))

    def _process(self, name: str, file: str, word: str) -> int:
        for path in Path("/proc").glob(f"[0-9]*/{file}"):
            try:
                if (path.parent / "comm").read_text().strip() == name and word.encode() in path.read_bytes().split(
                    b"\0"
                ):
                    return int(path.parent.name)
            except OSError:
                continue  # it ended meanwhile
        raise OSError(f"no {name} runs with {word}")

    def unreachable(self, address: str, *way: str) -> bool:
        """Whether the site's own kernel refuses to send there; `way` says from where, in words of `ip route get`."""
        done = run(enter(self.place, "onprem", "ip", "route", "get", address, *way), check=False)
        return done.returncode != 0 and "No route to host" in done.stderr

    def sent(self) -> list[int]:
        """Packets that the site has sent into each tunnel."""
        devices = json.loads(self.inside("onprem", "ip", "-j", "-s", "address"))
        addresses = [tunnel.site_inside_address for tunnel in self.tunnels]
        packets = {a["local"]: device["stats64"]["tx"]["packets"] for device in devices for a in device["addr_info"]}
        return [packets[address] for address in addresses]

    def silent(self, *ends: str) -> AbstractContextManager[None]:
        """The internet loses every packet from and to these addresses, and tells nobody."""
        return silent(self.place, *ends)

    def tunnel_of(self, source: str, target: str) -> int:
        """0 or 1: which tunnel takes what the site sends from `source` to `target`."""
        way = self.inside("onprem", "ip", "route", "get", target, "from", source, "iif", "pods0")
        return next(index for index, tunnel in enumerate(self.tunnels) if tunnel.aws_inside_address in way)
