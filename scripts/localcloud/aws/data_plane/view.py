"""One snapshot of what was declared in AWS: everything the data plane executes, typed, and nothing else.

Renderers and planners take parts of it and stay pure; `read.py` is the only place that fills it.
"""

from dataclasses import dataclass

from scripts.localcloud.dns.view import HealthCheck, Zone


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A running instance of an Auto Scaling group, with what it was launched with."""

    id: str
    group: str
    address: str
    zone: str
    type: str
    ami: str
    user_data: str
    role: str  # of its instance profile; empty without one
    hop_limit: int = 1
    launched: float = 0.0  # unix seconds
    interruption: str = ""  # when its spot capacity is taken back, as the tag `read.INTERRUPTION_TAG` declares it


@dataclass(frozen=True, kw_only=True)
class Target:
    """A registered target: an instance or an address, reached at ``address:port``."""

    id: str
    address: str
    port: int


@dataclass(frozen=True, kw_only=True)
class TargetCheck:
    """Health check settings of a target group; times in seconds, ``port`` None means the target's own."""

    protocol: str
    port: int | None
    path: str
    codes: str
    interval: int
    timeout: int
    rise: int
    fall: int


@dataclass(frozen=True, kw_only=True)
class TargetGroup:
    arn: str
    name: str
    protocol: str
    algorithm: str
    drain_seconds: int
    check: TargetCheck
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Forward:
    """Target group ARNs with their weights (0 to 999)."""

    weights: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """Parts as ELB has them, with its placeholders such as ``#{path}``."""

    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"
    code: int = 301


@dataclass(frozen=True, kw_only=True)
class FixedResponse:
    code: int
    content_type: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Condition:
    """``field`` is "path-pattern" or "host-header"; one of ``values`` must match."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Rules are kept in the order they are tried; the default rule is last and has no condition."""

    conditions: tuple[Condition, ...]
    action: Forward | Redirect | FixedResponse


@dataclass(frozen=True, kw_only=True)
class Listener:
    port: int
    protocol: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    arn: str
    name: str
    dns_name: str
    idle_seconds: int
    drop_invalid_headers: bool
    listeners: tuple[Listener, ...]

    @property
    def target_groups(self) -> set[str]:
        """ARNs of every target group a rule forwards to."""
        actions = (rule.action for listener in self.listeners for rule in listener.rules)
        return {arn for action in actions if isinstance(action, Forward) for arn, _ in action.weights}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """``problems`` says what is declared but cannot be executed here."""

    instances: tuple[Instance, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()
    zones: tuple[Zone, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    problems: tuple[str, ...] = ()
