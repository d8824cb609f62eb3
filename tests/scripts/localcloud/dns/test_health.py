"""When a health check flips, and what it says to DNS."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.localcloud.dns.health import Status, healthy, observe
from scripts.localcloud.dns.view import HealthCheck

CHECK = HealthCheck(id="check", type="HTTPS", address="192.0.2.1", port=443, interval=10, threshold=3)


def after(results: list[bool], threshold: int = 3) -> Status:
    status = Status()
    for passed in results:
        status = observe(status, passed, "reason", threshold)
    return status


@pytest.mark.parametrize(
    ("results", "passing"),
    [
        ([], True),
        ([False, False], True),
        ([False, False, False], False),
        ([False, False, True, False, False], True),  # only results in a row count
        ([False, False, False, True, True], False),
        ([False, False, False, True, True, True], True),
    ],
)
def test_the_threshold_of_consecutive_results_flips_the_status(results: list[bool], passing: bool) -> None:
    assert after(results).passing is passing


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 10))
def test_the_status_is_the_last_run_that_reached_the_threshold(results: list[bool], threshold: int) -> None:
    expected = True
    for end in range(threshold, len(results) + 1):
        run = results[end - threshold : end]
        if len(set(run)) == 1:
            expected = run[0]
    assert after(results, threshold).passing is expected


@pytest.mark.parametrize(
    ("changes", "passing", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"inverted": True}, True, False),
        ({"inverted": True}, False, True),
        ({"disabled": True}, False, True),
        ({"disabled": True, "inverted": True}, False, False),
        ({"type": "CLOUDWATCH_METRIC"}, False, True),
    ],
)
def test_what_dns_is_told(changes: dict[str, object], passing: bool, expected: bool) -> None:
    assert healthy(replace(CHECK, **changes), Status(passing=passing)) is expected
