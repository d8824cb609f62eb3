"""HAProxy's configuration from what is declared at ELB: a pure function, text for text the same for the same input.

Behaviour kept from Application Load Balancers (their user guide): a weighted rule gives a target group its share
also when that group is in trouble; there is no failover between groups. A group without targets answers 503. A group
whose targets are all unhealthy "fails open": requests go to all of them. A request is never tried twice.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.aws.data_plane.view import (
    Condition,
    FixedResponse,
    Forward,
    Listener,
    LoadBalancer,
    Redirect,
    TargetGroup,
)

CONNECT_SECONDS = 10  # ELB's own limit for a connection to a target
CHECKER = "hdr User-Agent ELB-HealthChecker/2.0"
OPEN = "-open"  # suffix of a server's unchecked twin, used while all targets of its group are unhealthy


@dataclass(frozen=True, kw_only=True)
class Edge:
    """What surrounds the declared load balancers: sockets, certificates and the endpoint that leads to the AWS API."""

    stats_socket: Path
    state_file: Path
    service_certificate: Path
    endpoint_certificate: Path
    endpoint: str  # address:port
    api: str  # address:port
    certificate_version: str  # changes when a certificate does, so that a new one is loaded


def addresses(balancers: Sequence[LoadBalancer], public: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Share the public addresses out: one load balancer has them all (one per zone, as ELB), several split them."""
    ordered = sorted(balancers, key=lambda balancer: balancer.arn)
    return {balancer.arn: tuple(public[i :: len(ordered)]) for i, balancer in enumerate(ordered)}


def render(
    edge: Edge, balancers: Sequence[LoadBalancer], groups: Sequence[TargetGroup], public: Mapping[str, Sequence[str]]
) -> str:
    """The whole configuration. ``public`` maps a load balancer's ARN to the addresses it listens on."""
    names = {group.arn: group.name for group in groups}
    idle = {arn: balancer.idle_seconds for balancer in balancers for arn in balancer.target_groups}
    parts = [_top(edge, groups)]
    for balancer in sorted(balancers, key=lambda balancer: balancer.arn):
        if public[balancer.arn]:
            parts += [
                _frontend(edge, balancer, listener, names, public[balancer.arn]) for listener in balancer.listeners
            ]
    used = sorted((group for group in groups if group.arn in idle), key=lambda group: group.name)
    parts += [_backend(group, idle[group.arn]) for group in used]
    return "\n".join(parts)


def _top(edge: Edge, groups: Sequence[TargetGroup]) -> str:
    drain = max((group.drain_seconds for group in groups), default=0)
    # idle-close-on-response: without it a reload closes idle connections at the moment a client may be writing to one.
    return f"""\
# certificates {edge.certificate_version}
global
    stats socket {edge.stats_socket} mode 600 level admin expose-fd listeners
    server-state-file {edge.state_file}
    hard-stop-after {max(drain, 1)}s
    ssl-default-bind-options ssl-min-ver TLSv1.2
    log stdout format raw daemon notice

defaults
    mode http
    log global
    retries 0
    option idle-close-on-response
    timeout connect {CONNECT_SECONDS}s
    timeout client 60s
    timeout server 60s
    load-server-state-from-file global

frontend vpc-endpoint
    bind {edge.endpoint} ssl crt {edge.endpoint_certificate} alpn http/1.1
    default_backend aws-api

backend aws-api
    timeout server 300s
    server api {edge.api}
"""


def _frontend(
    edge: Edge, balancer: LoadBalancer, listener: Listener, names: Mapping[str, str], public: Sequence[str]
) -> str:
    secure = listener.protocol == "HTTPS"
    tls = f" ssl crt {edge.service_certificate} alpn h2,http/1.1" if secure else ""
    lines = [f"frontend {balancer.name}-{listener.port}"]
    lines += [f"bind {address}:{listener.port}{tls}" for address in public]
    lines += [f"timeout client {balancer.idle_seconds}s", "option forwardfor"]
    lines.append(f"http-request set-header X-Forwarded-Proto {listener.protocol.lower()}")
    lines.append(f"http-request set-header X-Forwarded-Port {listener.port}")
    if balancer.drop_invalid_headers:
        lines.append("http-request del-header [^-A-Za-z0-9] -m reg")
    # Which rule applies is found first: HAProxy runs redirects before it looks for a backend, ELB goes by priority.
    for number, rule in enumerate(listener.rules):
        conditions = " ".join(["!{ var(txn.rule) -m found }", *(_match(condition) for condition in rule.conditions)])
        lines.append(f"http-request set-var(txn.rule) int({number}) if {conditions}")
    choices: list[str] = []
    for number, rule in enumerate(listener.rules):
        when = f"{{ var(txn.rule) -m int {number} }}"
        match rule.action:
            case Forward():
                first, chosen = _forward(rule.action, names, when)
                lines += first
                choices += chosen
            case Redirect():
                location = _location(rule.action, listener)
                lines.append(f"http-request redirect code {rule.action.code} location {location} if {when}")
            case FixedResponse():
                lines.append(_fixed(rule.action, when))
    return "\n    ".join([*lines, *choices]) + "\n"


def _forward(action: Forward, names: Mapping[str, str], when: str) -> tuple[list[str], list[str]]:
    """Draw a number below the sum of weights; every group owns as many of them as its weight says."""
    total = sum(weight for _, weight in action.weights)
    if total == 0:
        return [f"http-request return status 503 if {when}"], []
    chosen, below = [], 0
    for arn, weight in action.weights:
        below += weight
        if weight:
            chosen.append(f"use_backend {names[arn]} if {when} {{ var(txn.roll) -m int lt {below} }}")
    return [f"http-request set-var(txn.roll) rand({total}) if {when}"], chosen


def _fixed(action: FixedResponse, when: str) -> str:
    content = f" content-type {quoted(action.content_type)} string {quoted(action.body)}" if action.body else ""
    return f"http-request return status {action.code}{content} if {when}"


def _match(condition: Condition) -> str:
    patterns = " ".join(quoted(f"^{wildcard(value)}$") for value in condition.values)
    if condition.field == "host-header":
        return f"{{ req.hdr(host),field(1,:) -m reg -i {patterns} }}"
    return f"{{ path -m reg {patterns} }}"


def wildcard(pattern: str) -> str:
    """ELB's pattern (``*`` any text, ``?`` one character) as a regular expression."""
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _location(action: Redirect, listener: Listener) -> str:
    """Where a redirect leads, as a HAProxy format string."""
    query = "" if action.query in ("", "#{query}") else f"?{action.query}"
    text = f"{action.protocol}://{action.host}:{action.port}{action.path}{query}".replace("%", "%%")
    # ELB keeps the query as it came, and adds no "?" when there was none.
    kept = "%[pathq]" if action.query == "#{query}" and action.path == "/#{path}" else "%[path]"
    values = {
        "#{protocol}": listener.protocol,
        "#{host}": "%[req.hdr(host),field(1,:)]",
        "#{port}": str(listener.port),
        "/#{path}": kept,
        "#{query}": "%[query]",
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    scheme, rest = text.split("://", 1)
    return quoted(f"{scheme.lower()}://{rest}")


def _backend(group: TargetGroup, idle_seconds: int) -> str:
    check = group.check
    lines = [f"backend {group.name}", f"balance {'leastconn' if 'least' in group.algorithm else 'roundrobin'}"]
    lines += [f"timeout server {idle_seconds}s", "option allbackups", "option httpchk"]
    lines.append(f"http-check send meth GET uri {quoted(check.path)} ver HTTP/1.1 hdr Host {group.name} {CHECKER}")
    lines += [f"http-check expect status {check.codes}", f"timeout check {check.timeout}s"]
    port = f" port {check.port}" if check.port else ""
    secure = " ssl verify none" if group.protocol == "HTTPS" else ""
    checked = " check-ssl verify none" if check.protocol == "HTTPS" and not secure else ""
    times = f"inter {check.interval}s rise {check.rise} fall {check.fall}"
    for target in group.targets:
        place = f"{target.address}:{target.port}{secure}"
        lines.append(f"server {target.id} {place} check{port}{checked} {times}")
    lines += [f"server {target.id}{OPEN} {target.address}:{target.port}{secure} backup" for target in group.targets]
    return "\n    ".join(lines) + "\n"


def quoted(text: str) -> str:
    """One word of HAProxy's configuration, whatever it holds."""
    return "'" + text.replace("'", "'\\''") + "'"
