"""The shop's customer: asks the service by its one name from the internet's side, and measures the split.

Everything goes through the local DNS server and TLS for the service's name; nothing knows where a site is.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud import topology
from scripts.localcloud.cloud import LocalCloud, checkout_root
from scripts.localcloud.console import UserError
from scripts.localcloud.dns.choose import shares
from scripts.localcloud.dns.view import Record, from_json, health_file, statuses, view_file
from scripts.localcloud.dns.zone import Resolver
from scripts.localcloud.fit import p_value
from scripts.localcloud.shell import run

SITES = ("onprem", "aws")
# Enough to see a site of weight 1 in 256 with a probability above 99.9 %.
LONGEST_SEARCH = 2000


@dataclass(frozen=True, kw_only=True)
class Service:
    """The service as a customer knows it. The CA is the local one unless another is given."""

    name: str = topology.SERVICE_NAME
    port: int = 443
    ca: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Product:
    rank: int
    id: str
    title: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One site's answer to a query; ``seconds`` is connecting and searching."""

    site: str
    slot: str
    release: str
    image: str
    address: str
    seconds: float
    products: tuple[Product, ...]


# Chance alone gives a smaller p-value once in 100,000 honest measurements; 60 : 40 instead of 70 : 30 gives 1e-11.
CHANCE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Split:
    """Counted answers and declared shares by site, and how well they agree (see `fit.p_value`)."""

    counts: dict[str, int]
    shares: dict[str, float]
    p_value: float

    @property
    def fits(self) -> bool:
        """Could these counts come from these shares?"""
        return self.p_value > CHANCE


def ask(cloud: LocalCloud, query: str, k: int = 10, site: str = "both", service: Service | None = None) -> list[Reply]:
    """Ask the service; one reply per site asked for ("onprem", "aws" or "both"), in the order of `SITES`.

    Raises UserError naming each site that did not answer and why.
    """
    service = service or Service()
    wanted = [name for name in SITES if site in (name, "both")]
    told = _in_network(cloud, service, do="ask", query=query, k=k, sites=wanted, lookups=LONGEST_SEARCH)
    replies = {reply["site"]: _reply(reply) for reply in told["replies"]}
    missing = [name for name in wanted if name not in replies]
    if missing:
        raise UserError("\n".join(why_missing(cloud, service, name, told["failures"]) for name in missing))
    return [replies[name] for name in wanted]


def split(cloud: LocalCloud, lookups: int = 1000, service: Service | None = None) -> Split:
    """Look the name up ``lookups`` times and compare the sites' counts with their declared shares."""
    service = service or Service()
    found = _in_network(cloud, service, do="look_up", lookups=lookups)
    resolver = _resolver(cloud)
    records = _records(resolver, service)
    sites = {address: record.set_identifier for record in records for address in resolver.addresses(record)}
    counts = {record.set_identifier: 0 for record in records}
    for address, count in found.items():
        name = sites.get(address, address or "no answer")
        counts[name] = counts.get(name, 0) + count
    declared = dict(zip([record.set_identifier for record in records], shares(records, resolver.healthy), strict=True))
    expected = [declared.get(name, 0.0) for name in counts]
    return Split(counts=counts, shares=declared, p_value=p_value(list(counts.values()), expected))


def why_missing(cloud: LocalCloud, service: Service, site: str, failures: Mapping[str, str]) -> str:
    """One sentence: why a site did not answer, from what DNS and the health checkers know, and where to look."""
    resolver = _resolver(cloud)
    records = _records(resolver, service)
    record = next((record for record in records if record.set_identifier == site), None)
    if record is None:
        return f"site {site}: {service.name} has no record with that identifier; pulumi up -s local-dns makes it"
    failed = [f"{address}: {failures[address]}" for address in resolver.addresses(record) if address in failures]
    if failed:
        return f"site {site}: DNS names it, but it does not answer: {'; '.join(failed)}"
    if not resolver.healthy(record):
        return f"site {site}: DNS leaves it out, it is unhealthy: {_illness(cloud, resolver, record)}"
    if record.weight == 0:
        return f"site {site}: its weight is 0, so DNS names it only while the other is unhealthy; raise the weight"
    share = shares(records, resolver.healthy)[records.index(record)]
    return f"site {site}: not seen in {LONGEST_SEARCH} look-ups, though its share is {share:.2%}"


def _illness(cloud: LocalCloud, resolver: Resolver, record: Record) -> str:
    if record.health_check and not resolver.health.get(record.health_check, True):
        known = json.loads(health_file(cloud).read_text())[record.health_check]
        return f"{known['reason']} (health check {record.health_check}, see {health_file(cloud)})"
    return f"its load balancer has no healthy target (see {cloud.run / 'data-plane' / 'status.json'})"


def _resolver(cloud: LocalCloud) -> Resolver:
    view, health = _json(view_file(cloud)), _json(health_file(cloud))
    return Resolver(view=from_json(view), health=statuses(health), random=lambda: 0.0)


def _records(resolver: Resolver, service: Service) -> list[Record]:
    return [
        record
        for zone in resolver.view.zones
        for record in zone.records
        if record.name == service.name and record.type == "A"
    ]


def _reply(told: dict[str, Any]) -> Reply:
    products = tuple(
        Product(rank=rank, id=str(item["id"]), title=str(item["title"]), score=float(item["score"]))
        for rank, item in enumerate(told["results"], 1)
    )
    same = {key: str(told[key]) for key in ("site", "slot", "release", "image", "address")}
    return Reply(**same, seconds=float(told["seconds"]), products=products)


def _in_network(cloud: LocalCloud, service: Service, **wish: Any) -> dict[str, Any]:
    """Run the shopper in the customer's namespace, with that namespace's own resolver."""
    ca = service.ca or cloud.run / "tls" / "ca.pem"
    if not ca.is_file():
        raise UserError(f"certificate authority {ca}: no such file; scripts/up makes the local one")
    request = {"server": topology.DNS, "name": service.name, "port": service.port, "ca": str(ca), **wish}
    command = ["ip", "netns", "exec", cloud.namespace("client"), sys.executable, "-m", "scripts.localcloud.shopper"]
    answered: dict[str, Any] = json.loads(run(command, cwd=checkout_root(), stdin=json.dumps(request)).stdout)
    if "error" in answered:
        raise UserError(f"{answered['error']}; is the local cloud up?")
    return answered


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return value
