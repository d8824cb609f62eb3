"""HAProxy's configuration for what is declared at ELB, as text."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.localcloud.aws.data_plane.haproxy import Edge, addresses, quoted, render, wildcard
from scripts.localcloud.aws.data_plane.view import (
    Condition,
    FixedResponse,
    Forward,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Target,
    TargetCheck,
    TargetGroup,
)

EDGE = Edge(
    stats_socket=Path("/run/x/haproxy.sock"),
    state_file=Path("/x/state"),
    service_certificate=Path("/x/service.pem"),
    endpoint_certificate=Path("/x/endpoint.pem"),
    endpoint="10.30.255.10:443",
    api="100.64.0.5:15500",
    certificate_version="1",
)
CHECK = TargetCheck(protocol="HTTP", port=None, path="/readyz", codes="200-299", interval=10, timeout=5, rise=2, fall=3)
STABLE = TargetGroup(
    arn="arn:stable",
    name="stable",
    protocol="HTTP",
    algorithm="round_robin",
    drain_seconds=60,
    check=CHECK,
    targets=(Target(id="i-1", address="10.30.1.4", port=8080),),
)
CANARY = replace(STABLE, arn="arn:canary", name="canary", targets=())


def balancer(*rules: Rule, protocol: str = "HTTPS", port: int = 443, drop: bool = True) -> LoadBalancer:
    return LoadBalancer(
        arn="arn:alb",
        name="alb",
        dns_name="alb-1.eu-central-1.elb.amazonaws.com",
        idle_seconds=75,
        drop_invalid_headers=drop,
        listeners=(Listener(port=port, protocol=protocol, rules=rules),),
    )


def default(action: Forward | Redirect | FixedResponse) -> Rule:
    return Rule(conditions=(), action=action)


def text(*rules: Rule, groups: tuple[TargetGroup, ...] = (STABLE, CANARY), **options: object) -> str:
    made = balancer(*rules, **options)  # type: ignore[arg-type]
    return render(EDGE, [made], groups, {"arn:alb": ["203.0.113.30", "203.0.113.31"]})


def forward(**weights: int) -> Rule:
    return default(Forward(weights=tuple((f"arn:{name}", weight) for name, weight in weights.items())))


def test_every_group_owns_as_many_numbers_as_its_weight() -> None:
    lines = text(forward(stable=93, canary=7))
    assert "set-var(txn.roll) rand(100)" in lines
    assert "use_backend stable if { var(txn.rule) -m int 0 } { var(txn.roll) -m int lt 93 }" in lines
    assert "use_backend canary if { var(txn.rule) -m int 0 } { var(txn.roll) -m int lt 100 }" in lines


def test_weights_that_do_not_sum_to_100_are_exact_too() -> None:
    lines = text(forward(stable=2, canary=1))
    assert "rand(3)" in lines
    assert "lt 2 }" in lines


def test_a_group_of_weight_0_gets_nothing() -> None:
    lines = text(forward(stable=5, canary=0))
    assert "use_backend canary" not in lines


def test_all_weights_0_answer_503() -> None:
    lines = text(forward(stable=0, canary=0))
    assert "return status 503" in lines
    assert "use_backend" not in lines


def test_only_https_listeners_show_the_certificate() -> None:
    assert "bind 203.0.113.31:443 ssl crt /x/service.pem alpn h2,http/1.1" in text(forward(stable=1))
    assert "service.pem" not in text(forward(stable=1), protocol="HTTP", port=80)


def test_checks_follow_the_target_group() -> None:
    lines = text(forward(stable=1))
    assert "http-check send meth GET uri '/readyz' ver HTTP/1.1" in lines
    assert "http-check expect status 200-299" in lines
    assert "timeout check 5s" in lines
    assert "server i-1 10.30.1.4:8080 check inter 10s rise 2 fall 3" in lines


def test_targets_that_are_all_unhealthy_are_used_unchecked() -> None:
    lines = text(forward(stable=1))
    assert "server i-1-open 10.30.1.4:8080 backup" in lines
    assert "option allbackups" in lines


def test_https_targets_are_spoken_to_and_checked_over_tls_without_verifying() -> None:
    secure = replace(STABLE, protocol="HTTPS", check=replace(CHECK, protocol="HTTPS", port=9000))
    lines = text(forward(stable=1), groups=(secure,))
    assert "server i-1 10.30.1.4:8080 ssl verify none check port 9000 inter" in lines


@pytest.mark.parametrize(("drop", "count"), [(True, 1), (False, 0)])
def test_headers_with_invalid_names_go_when_the_load_balancer_says_so(drop: bool, count: int) -> None:
    assert text(forward(stable=1), drop=drop).count("del-header") == count


def test_rules_are_numbered_in_order_and_the_first_match_wins() -> None:
    special = Rule(
        conditions=(
            Condition(field="path-pattern", values=("/v1/*", "/v?")),
            Condition(field="host-header", values=("*.shop.test",)),
        ),
        action=FixedResponse(code=403, content_type="text/plain", body="it's closed"),
    )
    lines = text(special, forward(stable=1))
    matched = r"{ path -m reg '^/v1/.*$' '^/v.$' } { req.hdr(host),field(1,:) -m reg -i '^.*\.shop\.test$' }"
    assert f"set-var(txn.rule) int(0) if !{{ var(txn.rule) -m found }} {matched}" in lines
    assert "set-var(txn.rule) int(1) if !{ var(txn.rule) -m found }\n" in lines
    assert r"return status 403 content-type 'text/plain' string 'it'\''s closed'" in lines


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        (Redirect(protocol="HTTPS", port="443"), "https://%[req.hdr(host),field(1,:)]:443%[pathq]"),
        (Redirect(host="new.test", query=""), "http://new.test:80%[path]"),
        (Redirect(path="/old/#{path}", query="a=b"), "http://%[req.hdr(host),field(1,:)]:80/old%[path]?a=b"),
        (Redirect(path="/100%", query=""), "http://%[req.hdr(host),field(1,:)]:80/100%%"),
    ],
)
def test_redirects_keep_what_their_placeholders_say(redirect: Redirect, location: str) -> None:
    assert f"location '{location}'" in text(default(redirect), protocol="HTTP", port=80)


def test_the_vpc_endpoint_is_there_without_any_load_balancer() -> None:
    lines = render(EDGE, [], [], {})
    assert "bind 10.30.255.10:443 ssl crt /x/endpoint.pem" in lines
    assert "server api 100.64.0.5:15500" in lines


def test_a_group_no_rule_uses_is_left_out() -> None:
    assert "backend canary" not in text(forward(stable=1))


def test_the_same_declaration_gives_the_same_text_in_any_order() -> None:
    one, other = (balancer(forward(stable=1)), replace(balancer(forward(canary=1)), arn="arn:b", name="b"))
    public = {"arn:alb": ["203.0.113.30"], "arn:b": ["203.0.113.31"]}
    assert render(EDGE, [one, other], [STABLE, CANARY], public) == render(EDGE, [other, one], [CANARY, STABLE], public)


def test_a_new_certificate_changes_the_text() -> None:
    assert render(EDGE, [], [], {}) != render(replace(EDGE, certificate_version="2"), [], [], {})


@pytest.mark.parametrize(("count", "sizes"), [(1, [3]), (2, [2, 1]), (4, [1, 1, 1, 0])])
def test_public_addresses_are_shared_out_without_overlap(count: int, sizes: list[int]) -> None:
    made = [replace(balancer(), arn=f"arn:{i}") for i in range(count)]
    shared = addresses(made, ("a", "b", "c"))
    assert [len(shared[each.arn]) for each in made] == sizes
    assert sorted(address for each in shared.values() for address in each) == ["a", "b", "c"]


def test_a_pattern_means_itself_but_for_its_two_wildcards() -> None:
    assert wildcard("/a.b+c*d?") == r"/a\.b\+c.*d."


def test_a_quoted_word_cannot_end_early() -> None:
    assert quoted("a' b") == r"'a'\'' b'"
