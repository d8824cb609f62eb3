"""Answers of the authoritative server, from a view."""

import random
from dataclasses import replace

import pytest

from scripts.localcloud.dns.view import Alias, LoadBalancer, Record, View, Zone, from_json, to_json
from scripts.localcloud.dns.zone import Answer, Resolver

ALB = LoadBalancer(
    name="alb-1.eu-central-1.elb.amazonaws.com", addresses=("203.0.113.30", "203.0.113.31"), healthy=True
)
ONPREM = Record(
    name="search.shop.test",
    type="A",
    ttl=60,
    values=("198.51.100.20",),
    set_identifier="onprem",
    weight=70,
    health_check="check",
)
AWS = Record(
    name="search.shop.test",
    type="A",
    ttl=0,
    alias=Alias(name=ALB.name, evaluate=True),
    set_identifier="aws",
    weight=30,
)
OTHERS = (
    Record(name="shop.test", type="NS", ttl=172800, values=("ns-1.test.",)),
    Record(name="www.shop.test", type="CNAME", ttl=300, values=("search.shop.test.",)),
    Record(name="elsewhere.shop.test", type="CNAME", ttl=300, values=("example.org.",)),
    Record(name="deep.below.shop.test", type="TXT", ttl=300, values=('"text"',)),
    Record(name="again.shop.test", type="A", ttl=0, alias=Alias(name="search.shop.test", evaluate=True)),
)
VIEW = View(zones=(Zone(name="shop.test", records=(ONPREM, AWS, *OTHERS)),), load_balancers=(ALB,))


def ask(
    name: str, kind: str = "A", *, view: View = VIEW, health: dict[str, bool] | None = None, point: float = 0.0
) -> Answer:
    return Resolver(view=view, health=health or {}, random=lambda: point).answer(name, kind)


def values(answer: Answer) -> list[str]:
    return [line.value for line in answer.lines]


def test_a_weighted_name_answers_with_the_drawn_record_and_its_ttl() -> None:
    line = ask("search.shop.test", point=0.69).lines[0]
    assert (line.value, line.ttl) == ("198.51.100.20", 60)


def test_an_alias_answers_with_every_address_of_the_load_balancer_under_its_own_name() -> None:
    answer = ask("search.shop.test", point=0.71)
    assert sorted(values(answer)) == list(ALB.addresses)
    assert {(line.name, line.ttl) for line in answer.lines} == {("search.shop.test", 60)}


def test_the_order_of_a_load_balancers_addresses_changes() -> None:
    resolver = Resolver(view=VIEW, health={}, random=random.Random(1).random)
    assert len({resolver.answer(ALB.name, "A").lines[0].value for _ in range(50)}) == 2


def test_a_failing_check_takes_its_record_out() -> None:
    answers = [ask("search.shop.test", health={"check": False}, point=point / 10) for point in range(10)]
    assert all(sorted(values(answer)) == list(ALB.addresses) for answer in answers)


def test_a_check_without_a_result_counts_as_healthy() -> None:
    assert values(ask("search.shop.test", health={"other": False})) == ["198.51.100.20"]


def test_an_alias_inherits_the_health_of_its_load_balancer_only_when_it_says_so() -> None:
    ill = replace(VIEW, load_balancers=(replace(ALB, healthy=False),))
    assert values(ask("search.shop.test", view=ill, point=0.99)) == ["198.51.100.20"]
    trusting = replace(AWS, alias=Alias(name=ALB.name, evaluate=False))
    zone = Zone(name="shop.test", records=(ONPREM, trusting))
    assert values(ask("search.shop.test", view=replace(ill, zones=(zone,)), point=0.99)) != ["198.51.100.20"]


def test_an_alias_of_another_record_answers_with_its_values() -> None:
    assert values(ask("again.shop.test")) == ["198.51.100.20"]


def test_a_cname_answers_for_every_type_and_brings_its_target() -> None:
    answer = ask("www.shop.test")
    assert [(line.type, line.value) for line in answer.lines] == [
        ("CNAME", "search.shop.test."),
        ("A", "198.51.100.20"),
    ]
    assert [line.type for line in ask("www.shop.test", "TXT").lines] == ["CNAME"]
    assert [line.type for line in ask("www.shop.test", "CNAME").lines] == ["CNAME"]


def test_a_cname_to_another_domain_is_left_to_the_client() -> None:
    assert values(ask("elsewhere.shop.test")) == ["example.org."]


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("nothing.shop.test", "A", "NXDOMAIN"),
        ("search.shop.test", "AAAA", "NOERROR"),
        ("below.shop.test", "A", "NOERROR"),  # exists, because a name below it does
        ("shop.test", "A", "NOERROR"),
        ("other-1.eu-central-1.elb.amazonaws.com", "A", "NXDOMAIN"),
        ("example.org", "A", "REFUSED"),
        ("notshop.test", "A", "REFUSED"),
    ],
)
def test_what_is_not_there_gets_the_right_status_and_no_lines(name: str, kind: str, status: str) -> None:
    answer = ask(name, kind)
    assert (answer.status, answer.lines) == (status, ())


def test_the_zone_with_the_longest_name_answers() -> None:
    inner = Zone(
        name="inner.shop.test", records=(Record(name="a.inner.shop.test", type="A", ttl=1, values=("192.0.2.1",)),)
    )
    both = replace(VIEW, zones=(*VIEW.zones, inner))
    assert values(ask("a.inner.shop.test", view=both)) == ["192.0.2.1"]


def test_records_that_alias_each_other_end() -> None:
    loop = tuple(
        Record(name=f"{here}.shop.test", type="A", ttl=0, alias=Alias(name=f"{there}.shop.test", evaluate=True))
        for here, there in (("a", "b"), ("b", "a"))
    )
    assert values(ask("a.shop.test", view=View(zones=(Zone(name="shop.test", records=loop),)))) == []


def test_a_view_survives_its_file() -> None:
    assert from_json(to_json(VIEW)) == VIEW
