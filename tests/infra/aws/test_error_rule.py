"""The alarm on errors, over values as CloudWatch would have them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.infra.aws.metric_math import READINGS, Point, Reading, answers, evaluate, is_alarm, never
from tests.infra.aws.watching import CONFIG, rules

ERRORS = rules()["errors"]
counts = st.integers(min_value=0, max_value=10_000)
either = st.booleans()


def minute(requests: int, targets: int = 0, balancer: int = 0, refused: int = 0) -> Point:
    """One minute at the load balancer, which reports no zeros."""
    values = {"requests": requests, "targets": targets, "balancer": balancer + refused, "refused": refused}
    return {name: float(value) if value else None for name, value in values.items()}


@pytest.mark.parametrize("missing", [dict, never])
def test_without_requests_there_is_no_error_alarm(missing: Callable[[Point], Point]) -> None:
    assert not is_alarm(ERRORS, [missing(minute(0))] * 5)


@pytest.mark.parametrize(("percent", "on"), [(0, False), (1, True), (2, True), (100, True)])
@pytest.mark.parametrize("source", ["targets", "balancer"])
def test_errors_of_servers_and_of_the_load_balancer_are_an_alarm_from_the_configured_percentage_on(
    source: str, percent: int, on: bool
) -> None:
    assert is_alarm(ERRORS, [minute(1000, **{source: 10 * percent})] * 5) is on
    assert not is_alarm(rules(replace(CONFIG, error_percent=5))["errors"], [minute(1000, **{source: 49})] * 5)


@given(requests=counts, targets=counts, refused=counts, seen=either, reading=st.sampled_from(READINGS))
def test_the_error_rate_is_errors_by_requests_whatever_was_never_published(
    requests: int, targets: int, refused: int, seen: bool, reading: Reading
) -> None:
    targets = min(targets, requests)
    point = minute(requests, targets=targets, refused=refused)
    rate = evaluate(ERRORS.expression, point if seen else never(point), reading)
    if rate is not None:
        assert rate == pytest.approx(100 * (targets + refused) / (requests + refused))
        assert 0 <= rate <= 100 + 1e-9
    else:
        assert targets + refused == 0


def test_with_a_plain_sum_it_would_be_open_whether_errors_of_servers_are_seen() -> None:
    """Why the expression is not the one that comes to mind first."""
    plain = replace(ERRORS, expression="100 * (targets + balancer) / requests")
    points = [never(minute(100, targets=100))] * 5
    assert answers(plain, points) == {True, False}
    assert is_alarm(ERRORS, points)


def test_a_site_that_refuses_all_for_want_of_a_server_is_an_alarm() -> None:
    """Such requests are in no RequestCount."""
    assert is_alarm(ERRORS, [minute(0, refused=3)] * 5)


@given(bad=st.sets(st.integers(min_value=0, max_value=4)))
def test_two_bad_minutes_wake_nobody_three_do(bad: set[int]) -> None:
    points = [minute(100, targets=50 if index in bad else 0) for index in range(5)]
    assert is_alarm(ERRORS, points) is (len(bad) >= 3)
