"""When a Route 53 health check changes its mind. Pure: results go in, a status comes out."""

from dataclasses import dataclass, replace

from scripts.localcloud.dns.view import HealthCheck

EXECUTED = ("HTTP", "HTTPS", "TCP")


@dataclass(frozen=True, kw_only=True)
class Status:
    """State of one check: ``passing`` is the endpoint's, ``against`` counts results in a row that contradict it.

    A new check passes until enough results say otherwise, as Route 53 starts it.
    """

    passing: bool = True
    against: int = 0
    checked: int = 0
    reason: str = "not checked yet"


def observe(status: Status, passed: bool, reason: str, threshold: int) -> Status:
    """The state after one more result: it flips after ``threshold`` consecutive results against it."""
    seen = replace(status, checked=status.checked + 1, reason=reason)
    if passed == status.passing:
        return replace(seen, against=0)
    if status.against + 1 < threshold:
        return replace(seen, against=status.against + 1)
    return replace(seen, passing=passed, against=0)


def healthy(check: HealthCheck, status: Status) -> bool:
    """What the check says to DNS: a disabled check counts as passing, and an inverted one says the opposite."""
    passing = True if check.disabled or check.type not in EXECUTED else status.passing
    return passing != check.inverted
