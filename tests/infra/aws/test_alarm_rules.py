"""The arithmetic of the alarms but for errors, over values as CloudWatch would have them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.group_policy import GROUP_METRICS
from infra.aws.lifecycle_hooks import HOOKS, LAUNCH_HOOK
from infra.aws.slot_rules import QUEUE_FULL
from infra.aws.watched import GROUP
from tests.infra.aws.metric_math import Point, is_alarm, never
from tests.infra.aws.watching import CONFIG, WATCHED, rules


def test_latency_is_compared_in_seconds() -> None:
    rule = rules(replace(CONFIG, latency_p99_ms=250))["latency"]
    assert is_alarm(rule, [{"p99": 0.25}] * 5)
    assert not is_alarm(rule, [{"p99": 0.249}] * 5)
    assert not is_alarm(rule, [{"p99": None}] * 5)
    [metric] = rule.metrics.values()
    assert metric.stat == "p99"


@given(desired=st.lists(st.integers(0, 20), min_size=15, max_size=15), data=st.data())
def test_no_capacity_means_fewer_than_wanted_for_15_minutes_without_a_break(
    desired: list[int], data: st.DataObject
) -> None:
    serving = [data.draw(st.integers(0, 20)) for _ in desired]
    points = [{"desired": float(d), "serving": float(s)} for d, s in zip(desired, serving, strict=True)]
    lacking = all(s < d for d, s in zip(desired, serving, strict=True))
    for slot in ("stable", "canary"):
        rule = rules()[f"{slot}-no-capacity"]
        assert is_alarm(rule, points) is lacking
        assert rule.periods * rule.period == 15 * 60


@pytest.mark.parametrize(("hosts", "on"), [(0, True), (None, True), (1, False)])
def test_no_healthy_host_is_an_alarm_also_when_nothing_is_reported_of_none(hosts: float | None, on: bool) -> None:
    rule = rules()["stable-no-healthy-host"]
    point = {"hosts": hosts}
    assert is_alarm(rule, [point] * 5) is on
    assert is_alarm(rule, [never(point)] * 5) is on
    assert not is_alarm(rule, [*[point] * 4, {"hosts": 1}])
    [metric] = rule.metrics.values()
    assert metric.dimensions["TargetGroup"] == WATCHED.target_groups["stable"]


@pytest.mark.parametrize("answering", [(), ("stable",), ("stable", "canary")])
def test_the_slots_that_answer_must_always_have_a_healthy_host(answering: tuple[str, ...]) -> None:
    found = rules(watched=replace(WATCHED, answering=answering))
    assert {name for name in found if name.endswith("no-healthy-host")} == {f"{s}-no-healthy-host" for s in answering}


@pytest.mark.parametrize(("hosts", "on"), [(None, False), (0, False), (1, True)])
def test_a_host_that_stays_unhealthy_is_an_alarm_in_its_slot(hosts: float | None, on: bool) -> None:
    for slot in ("stable", "canary"):
        rule = rules()[f"{slot}-unhealthy-host"]
        assert is_alarm(rule, [{"hosts": hosts}] * 5) is on
        assert not is_alarm(rule, [*[{"hosts": hosts}] * 4, {"hosts": 0}])
        [metric] = rule.metrics.values()
        assert metric.dimensions["TargetGroup"] == WATCHED.target_groups[slot]


@pytest.mark.parametrize(
    ("tunnels", "any_down", "all_down"),
    [((1, 1), False, False), ((1, 0), True, False), ((0, 1), True, False), ((0, 0), True, True), ((), True, True)],
)
def test_tunnels_alarm_when_one_is_down_and_when_all_are_and_when_nothing_is_heard(
    tunnels: tuple[float, ...], any_down: bool, all_down: bool
) -> None:
    statistics = {"Minimum": min, "Maximum": max}
    for number, connection_id in enumerate(WATCHED.connection_ids, start=1):
        for kind, on in (("any-tunnel-down", any_down), ("all-tunnels-down", all_down)):
            rule = rules()[f"vpn-{number}-{kind}"]
            [metric] = rule.metrics.values()
            assert metric.dimensions == {"VpnId": connection_id}
            assert is_alarm(rule, [{"state": statistics[metric.stat](tunnels) if tunnels else None}]) is on
            assert rule.period == 300


@pytest.mark.parametrize(("notices", "on"), [(None, False), (1, False), (2, True)])
def test_one_spot_notice_is_everyday_life_two_in_15_minutes_are_not(notices: float | None, on: bool) -> None:
    rule = rules()["stable-spot-interruptions"]
    assert rule.period * rule.periods == 15 * 60
    assert is_alarm(rule, [{"notices": notices}]) is on


def phases(seconds: float, *, without: str = "") -> Point:
    names = [id_ for id_ in rules()["stable-slow-start"].metrics if id_ != without]
    return {name: seconds / len(names) for name in names}


@given(seconds=st.floats(min_value=1, max_value=5000), without=st.sampled_from(["", "driver", "in_service"]))
def test_a_start_is_slow_before_its_group_gives_up_whatever_phase_took_the_time(seconds: float, without: str) -> None:
    [limit] = [hook.seconds for hook in HOOKS if hook.name == LAUNCH_HOOK]
    rule = rules()["stable-slow-start"]
    assert rule.threshold < limit
    if seconds >= limit:
        assert is_alarm(rule, [phases(seconds, without=without)])
    if seconds < rule.threshold * 0.99:
        assert not is_alarm(rule, [phases(seconds, without=without)])


def test_nothing_that_starts_is_no_slow_start() -> None:
    assert not is_alarm(rules()["canary-slow-start"], [{}])
    assert not is_alarm(rules()["canary-slow-start"], [phases(0, without="")])


def starting(pending: Sequence[float | None], started: Sequence[float | None]) -> list[Point]:
    return [{"pending": p, "started": s} for p, s in zip(pending, started, strict=True)]


def test_starts_that_never_end_are_an_alarm_though_all_wanted_hosts_serve() -> None:
    rule = rules()["stable-stuck-start"]
    for never_one in (starting([1.0] * 6, [None] * 6), [never(p) for p in starting([1.0] * 6, [None] * 6)]):
        assert is_alarm(rule, never_one)
    assert not is_alarm(rules()["stable-no-capacity"], [{"desired": 4.0, "serving": 4.0}] * 15)
    assert not is_alarm(rules()["stable-slow-start"], [{}])


@given(success=st.integers(0, 5), several=st.integers(1, 1000), pending=st.integers(1, 1000))
def test_a_refresh_that_goes_on_is_not_stuck_however_long_it_takes(success: int, several: int, pending: int) -> None:
    started: list[float | None] = [None] * 6
    started[success] = float(several)
    assert not is_alarm(rules()["stable-stuck-start"], starting([float(pending)] * 6, started))


@given(idle=st.integers(0, 5), value=st.sampled_from([None, 0.0]))
def test_what_starts_now_and_then_is_not_stuck(idle: int, value: float | None) -> None:
    pending: list[float | None] = [1.0] * 6
    pending[idle] = value
    assert not is_alarm(rules()["stable-stuck-start"], starting(pending, [None] * 6))


def test_a_start_that_its_group_gives_up_was_stuck_and_the_group_reports_what_that_needs() -> None:
    [limit] = [hook.seconds for hook in HOOKS if hook.name == LAUNCH_HOOK]
    rule = rules()["canary-stuck-start"]
    assert rule.period * rule.periods == limit
    assert {m.name for r in rules().values() for m in r.metrics.values() if m.namespace == GROUP} <= set(GROUP_METRICS)


def test_the_queue_is_an_alarm_before_a_server_refuses_work() -> None:
    from model_image.server.config import Config

    rule = rules()["stable-queue"]
    assert Config.max_wait_seconds == QUEUE_FULL
    assert is_alarm(rule, [{"seconds": 0.9 * QUEUE_FULL}] * 5)
    assert not is_alarm(rule, [{"seconds": 0.1 * QUEUE_FULL}] * 5)
    assert not is_alarm(rule, [{"seconds": None}] * 5)


def test_a_second_connection_brings_its_own_alarms_and_changes_no_other() -> None:
    one = rules(watched=replace(WATCHED, connection_ids=["vpn-1"]))
    two = rules()
    assert {name: two[name] for name in one} == one
    assert two.keys() - one.keys() == {"vpn-2-any-tunnel-down", "vpn-2-all-tunnels-down"}
