"""What the DNS server and the health checkers know: zones, health checks and load balancers, as one JSON file.

The host writes it, because the internet's namespace cannot reach the AWS API. Names are lower case without a final dot.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud.cloud import LocalCloud


def view_file(cloud: LocalCloud) -> Path:
    return cloud.run / "dns" / "view.json"


def health_file(cloud: LocalCloud) -> Path:
    """Written by the checkers: health check id → {"healthy": bool, "reason": str, "checked": count}."""
    return cloud.run / "dns" / "health.json"


@dataclass(frozen=True, kw_only=True)
class Alias:
    name: str
    evaluate: bool


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record set. ``weight`` is None for a simple record; ``values`` is empty for an alias."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...] = ()
    alias: Alias | None = None
    set_identifier: str = ""
    weight: int | None = None
    health_check: str = ""


@dataclass(frozen=True, kw_only=True)
class Zone:
    name: str
    records: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """An endpoint check; ``interval`` in seconds, ``threshold`` in consecutive results."""

    id: str
    type: str
    address: str = ""
    host: str = ""
    port: int
    path: str = "/"
    interval: int
    threshold: int
    inverted: bool = False
    disabled: bool = False
    sni: bool = False


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """``healthy`` is what an alias with EvaluateTargetHealth inherits."""

    name: str
    addresses: tuple[str, ...]
    healthy: bool


@dataclass(frozen=True, kw_only=True)
class View:
    zones: tuple[Zone, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()


def normal(name: str) -> str:
    return name.lower().rstrip(".")


def to_json(view: View) -> dict[str, Any]:
    return dataclasses.asdict(view)


def from_json(value: dict[str, Any] | None) -> View:
    """The view stored by `to_json`; an empty one while nothing is stored yet."""
    if not value:
        return View()
    return View(
        zones=tuple(
            Zone(name=zone["name"], records=tuple(_record(record) for record in zone["records"]))
            for zone in value["zones"]
        ),
        health_checks=tuple(HealthCheck(**check) for check in value["health_checks"]),
        load_balancers=tuple(
            LoadBalancer(**{**balancer, "addresses": tuple(balancer["addresses"])})
            for balancer in value["load_balancers"]
        ),
    )


def statuses(value: dict[str, Any] | None) -> dict[str, bool]:
    """Health check id → healthy, from what the checkers stored; empty while nothing is stored yet."""
    return {check: bool(state["healthy"]) for check, state in (value or {}).items()}


def _record(value: dict[str, Any]) -> Record:
    alias = Alias(**value["alias"]) if value["alias"] else None
    return Record(**{**value, "values": tuple(value["values"]), "alias": alias})
