"""From what strongSwan and BIRD say to one sentence on why a tunnel is down. Pure functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .plan import Tunnel


@dataclass(frozen=True, kw_only=True)
class Association:
    """What charon holds for one tunnel: the IKE association's state, and whether it encrypts."""

    state: str
    encrypts: bool


@dataclass(frozen=True, kw_only=True)
class Session:
    """A BGP session of BIRD: its state, what last went wrong, and how many routes it brought."""

    state: str
    error: str
    routes: int

    @property
    def is_up(self) -> bool:
        return self.state == "Established"


@dataclass(frozen=True, kw_only=True)
class Status:
    """One tunnel, as people and probes see it. `reason` is "" while it is up."""

    name: str
    peer: str
    ipsec: bool
    bgp: bool
    routes: int
    reason: str

    def __str__(self) -> str:
        word = "up" if self.ipsec and self.bgp else "IPsec up, BGP down" if self.ipsec else "down"
        return f"{self.name} to {self.peer}: {word}{f': {self.reason}' if self.reason else ''}"


_ATTEMPTS = (
    (
        "received AUTHENTICATION_FAILED",
        "{peer} refuses the pre-shared key or the address that this end identifies itself with: is it this tunnel's "
        "key, and is this the gateway that the connection was made for?",
    ),
    ("MAC mismatched", "{peer} has another pre-shared key than this end"),
    ("no shared key found", "there is no pre-shared key for {peer}: it identifies itself with another address"),
    ("no trusted", "{peer} proved to be somebody else"),
    ("constraint check failed", "{peer} identifies itself with another address than its own"),
    ("received NO_PROPOSAL_CHOSEN", "{peer} knows no connection with this gateway's address, or none of its proposals"),
    ("received INVALID_SYNTAX", "{peer} cannot read what this end sends: most often another pre-shared key"),
    ("received TS_UNACCEPTABLE", "{peer} accepts no tunnel for all addresses (0.0.0.0/0)"),
    ("received INVALID_KE_PAYLOAD", "{peer} wants another Diffie-Hellman group"),
    ("unable to install", "this kernel cannot encrypt (no ESP): set ipsec to userspace"),
    ("unable to allocate SPI", "this kernel cannot encrypt (no ESP): set ipsec to userspace"),
    ("retransmit", "no answer from {peer}: are UDP 500 and 4500 open both ways, and is the address right?"),
    ("not established after", "no answer from {peer}: are UDP 500 and 4500 open both ways, and is the address right?"),
)


def of_attempt(log: str, tunnel: Tunnel) -> str:
    """Why an attempt to bring up `tunnel` failed, from the log that `swanctl --initiate` shows of it."""
    for sign, reason in _ATTEMPTS:
        if sign in log:
            return reason.format(peer=tunnel.peer)
    lines = [line for line in log.strip().splitlines() if line]
    return lines[-1] if lines else "charon gave no reason"


def of_silence(tunnel: Tunnel) -> str:
    """Why a tunnel is down whose first message was never answered."""
    return of_attempt("retransmit", tunnel)


def of_session(session: Session | None) -> str:
    """Why BGP is down inside a tunnel that is up."""
    if session is None:
        return "BIRD tells no session for it"
    if "Bad peer AS" in session.error:
        return "the peer has another BGP number (ASN) than the configuration"
    return f"BGP is {session.state}{f', last: {session.error}' if session.error else ''}"


def associations(raw: str) -> dict[str, Association]:
    """By connection name, from `swanctl --list-sas --raw`; of several for one name the one that encrypts counts."""
    found: dict[str, Association] = {}
    for line in raw.splitlines():
        head = re.match(r"list-sa event \{(\S+) \{(?:.*? )?state=(\S+)", line)
        if head:
            children = line.partition("child-sas {")[2]
            encrypts = "state=INSTALLED" in children or "state=REKEYING" in children
            name = head[1]
            if name not in found or encrypts:
                found[name] = Association(state=head[2], encrypts=encrypts)
    return found


def sessions(text: str) -> dict[str, Session]:
    """By protocol name, from `show protocols all` of BIRD."""
    found: dict[str, Session] = {}
    blocks = re.split(r"\n(?=\S)", text)
    for block in blocks:
        name, _, rest = block.partition(" ")
        if rest.split()[:1] == ["BGP"]:
            imported = re.search(r"Routes:\s+(\d+) imported", block)
            found[name] = Session(
                state=_field(block, "BGP state"),
                error=_field(block, "Last error"),
                routes=int(imported[1]) if imported else 0,
            )
    return found


def statuses(
    tunnels: tuple[Tunnel, ...],
    held: Mapping[str, Association],
    running: Mapping[str, Session],
    attempts: Mapping[str, str],
) -> list[Status]:
    """One status per tunnel; `attempts` has the reason of each tunnel's last failed attempt."""
    return [_status(tunnel, held.get(tunnel.name), running.get(tunnel.name), attempts) for tunnel in tunnels]


def _status(
    tunnel: Tunnel, association: Association | None, session: Session | None, attempts: Mapping[str, str]
) -> Status:
    ipsec = association is not None and association.encrypts
    bgp = ipsec and session is not None and session.is_up
    if bgp:
        reason = ""
    elif ipsec:
        reason = of_session(session)
    elif association is not None and association.state == "CONNECTING":
        reason = of_silence(tunnel)
    else:
        reason = attempts.get(tunnel.name, "not started yet")
    routes = session.routes if session and bgp else 0
    return Status(name=tunnel.name, peer=tunnel.peer, ipsec=ipsec, bgp=bgp, routes=routes, reason=reason)


def _field(block: str, label: str) -> str:
    match = re.search(rf"{label}:\s+(.*)", block)
    return match[1].strip() if match else ""
