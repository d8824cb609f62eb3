"""Answers as Route 53 gives them, computed from a view and the health of its checks. Pure: no socket, no clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scripts.localcloud.dns.choose import choose
from scripts.localcloud.dns.view import LoadBalancer, Record, View, Zone

ELB_DOMAIN = "elb.amazonaws.com"
ELB_TTL = 60  # seconds; what an alias to a load balancer carries too
LONGEST_CHAIN = 8


@dataclass(frozen=True, kw_only=True)
class Line:
    """One resource record of an answer; ``value`` in zone-file form."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``status`` is a DNS response code; ``zone`` is set when the answer is authoritative."""

    status: str
    lines: tuple[Line, ...] = ()
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """``health`` maps a health check's id to its status; a check without a status yet counts as healthy."""

    view: View
    health: Mapping[str, bool]
    random: Callable[[], float] = field(repr=False)

    def answer(self, name: str, kind: str) -> Answer:
        """Answer one question; ``name`` is lower case without a final dot, ``kind`` such as "A"."""
        balancer = self._balancer(name)
        if balancer:
            lines = self._addresses(name, balancer) if kind == "A" else ()
            return Answer(status="NOERROR", lines=lines, zone=ELB_DOMAIN)
        zone = self._zone(name)
        if zone is None:
            outside = not _inside(name, ELB_DOMAIN)
            return Answer(status="REFUSED") if outside else Answer(status="NXDOMAIN", zone=ELB_DOMAIN)
        known = [record.name for record in zone.records]
        if name != zone.name and not any(_inside(other, name) for other in known):
            return Answer(status="NXDOMAIN", zone=zone.name)
        return Answer(status="NOERROR", lines=tuple(self._lines(zone, name, kind)), zone=zone.name)

    def healthy(self, record: Record, depth: int = 0) -> bool:
        """A record is healthy when its own check is, and what its alias inherits from is."""
        if record.health_check and not self.health.get(record.health_check, True):
            return False
        if record.alias is None or not record.alias.evaluate or depth > LONGEST_CHAIN:
            return True
        balancer = self._balancer(record.alias.name)
        if balancer:
            return balancer.healthy
        zone = self._zone(record.alias.name)
        group = _group(zone, record.alias.name, record.type) if zone else []
        return any(self.healthy(target, depth + 1) for target in group)

    def addresses(self, record: Record) -> tuple[str, ...]:
        """Every address a client may get from this A record."""
        if record.alias is None:
            return record.values
        balancer = self._balancer(record.alias.name)
        if balancer:
            return balancer.addresses
        zone = self._zone(record.alias.name)
        group = _group(zone, record.alias.name, record.type) if zone else []
        return tuple(address for target in group for address in self.addresses(target))

    def _lines(self, zone: Zone, name: str, kind: str, depth: int = 0) -> list[Line]:
        record = choose(_group(zone, name, kind), self.healthy, self.random)
        if record is None and kind != "CNAME":
            return self._follow(zone, name, kind, depth)
        if record is None:
            return []
        if record.alias is None:
            return [Line(name=name, type=kind, ttl=record.ttl, value=value) for value in record.values]
        balancer = self._balancer(record.alias.name)
        if balancer:
            return list(self._addresses(name, balancer)) if kind == "A" else []
        if depth > LONGEST_CHAIN:
            return []
        # An alias to another record answers with that record's values under the alias's own name.
        target = self._lines(zone, record.alias.name, kind, depth + 1)
        return [Line(name=name, type=line.type, ttl=line.ttl, value=line.value) for line in target]

    def _follow(self, zone: Zone, name: str, kind: str, depth: int) -> list[Line]:
        """A CNAME stands for every other type, and its target is answered along when it is ours."""
        found = self._lines(zone, name, "CNAME", depth)
        if not found or depth > LONGEST_CHAIN:
            return found
        target = found[0].value.lower().rstrip(".")
        balancer, home = self._balancer(target), self._zone(target)
        if balancer and kind == "A":
            return [*found, *self._addresses(target, balancer)]
        return [*found, *self._lines(home, target, kind, depth + 1)] if home else found

    def _addresses(self, name: str, balancer: LoadBalancer) -> tuple[Line, ...]:
        """Every address of a load balancer, in an order drawn anew: clients take the first one."""
        drawn = sorted((self.random(), address) for address in balancer.addresses)
        return tuple(Line(name=name, type="A", ttl=ELB_TTL, value=address) for _, address in drawn)

    def _balancer(self, name: str) -> LoadBalancer | None:
        # "dualstack." in front of a load balancer's name names the same load balancer.
        plain = name.removeprefix("dualstack.")
        return next((balancer for balancer in self.view.load_balancers if balancer.name == plain), None)

    def _zone(self, name: str) -> Zone | None:
        """The zone with the longest name that holds ``name``."""
        holding = [zone for zone in self.view.zones if _inside(name, zone.name)]
        return max(holding, key=lambda zone: len(zone.name), default=None)


def _inside(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _group(zone: Zone, name: str, kind: str) -> list[Record]:
    return [record for record in zone.records if record.name == name and record.type == kind]
