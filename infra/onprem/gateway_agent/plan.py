"""`gateway.json`: which daemons a gateway runs, which tunnels each of them carries, and their devices."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

FILE, BIRD, CLAMP = "gateway.json", "bird.conf", "clamp.nft"
KERNEL, USERSPACE = "kernel", "userspace"
SECRETS = ".secrets.conf"
"""How the name of every file ends that holds a key, and of no other."""


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """One tunnel: the peer's public address, this end's address inside (with prefix), and the number of its device."""

    name: str
    peer: str
    address: str
    interface_id: int


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One charon and its tunnels."""

    name: str
    tunnels: tuple[Tunnel, ...]

    @property
    def settings(self) -> str:
        return f"{self.name}.strongswan.conf"

    @property
    def connections(self) -> str:
        return f"{self.name}.swanctl.conf"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`ipsec` says who encrypts: the kernel, one device per tunnel that this agent makes; or charon itself in
    userspace, one charon per tunnel, because one charon has one TUN device for all that it encrypts.

    `initiate`: bring up what is down; an end that only answers does not. `mtu` in bytes. `aws_ranges` never leave the
    node but through a tunnel.
    """

    ipsec: str
    mtu: int
    initiate: bool
    daemons: tuple[Daemon, ...]
    aws_ranges: tuple[str, ...] = ()

    @property
    def tunnels(self) -> tuple[Tunnel, ...]:
        return tuple(tunnel for daemon in self.daemons for tunnel in daemon.tunnels)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """ValueError when the text is no plan."""
        try:
            value = json.loads(text)
            daemons = tuple(_daemon(entry) for entry in value.pop("daemons"))
            ranges = tuple(str(cidr) for cidr in value.pop("aws_ranges", ()))
            return cls(**value, daemons=daemons, aws_ranges=ranges)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{FILE}: {error}") from None


def plan(
    tunnels: Sequence[Tunnel],
    *,
    ipsec: str,
    mtu: int,
    initiate: bool = True,
    shared_name: str = "tunnels",
    aws_ranges: Sequence[str] = (),
) -> Plan:
    """A plan for these tunnels: one charon called `shared_name` in the kernel's variant, one for each in the other."""
    if ipsec not in (KERNEL, USERSPACE):
        raise ValueError(f"ipsec is {ipsec!r}: {KERNEL} or {USERSPACE} is needed")
    if ipsec == KERNEL:
        daemons: tuple[Daemon, ...] = (Daemon(name=shared_name, tunnels=tuple(tunnels)),)
    else:
        daemons = tuple(Daemon(name=tunnel.name, tunnels=(tunnel,)) for tunnel in tunnels)
    return Plan(ipsec=ipsec, mtu=mtu, initiate=initiate, daemons=daemons, aws_ranges=tuple(aws_ranges))


def _daemon(entry: dict[str, object]) -> Daemon:
    tunnels = entry["tunnels"]
    if not isinstance(tunnels, list):
        raise TypeError("tunnels is no list")
    return Daemon(name=str(entry["name"]), tunnels=tuple(Tunnel(**tunnel) for tunnel in tunnels))
