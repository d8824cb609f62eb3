"""The arithmetic of the alarms but for errors, over values as CloudWatch would have them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.alarm_rules import QUEUE_FULL
from infra.aws.lifecycle_hooks import HOOKS, LAUNCH_HOOK
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


@pytest.mark.parametrize(
    ("desired", "healthy", "on"),
    [(2, 0, True), (2, None, True), (2, 1, False), (0, None, False), (0, 0, False), (None, None, False)],
)
def test_no_healthy_host_is_an_alarm_only_where_hosts_are_wanted(
    desired: float | None, healthy: float | None, on: bool
) -> None:
    rule = rules()["stable-no-healthy-host"]
    point: dict[str, float | None] = {"desired": desired, "healthy": healthy}
    for fills_unknown in (True, False):
        assert is_alarm(rule, [point] * 5, fills_unknown=fills_unknown) is on
        assert is_alarm(rule, [never(point)] * 5, fills_unknown=fills_unknown) is on
    assert not is_alarm(rule, [*[point] * 4, {"desired": 2, "healthy": 1}])


def test_only_the_stable_slot_must_always_have_a_healthy_host() -> None:
    assert [name for name in rules() if name.endswith("no-healthy-host")] == ["stable-no-healthy-host"]


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


def test_the_queue_is_an_alarm_before_a_server_refuses_work() -> None:
    from model_image.server.scheduler import MAX_WAITING

    rule = rules()["stable-queue"]
    assert QUEUE_FULL == MAX_WAITING
    assert is_alarm(rule, [{"texts": 0.9 * MAX_WAITING}] * 5)
    assert not is_alarm(rule, [{"texts": 8}] * 5)
    assert not is_alarm(rule, [{"texts": None}] * 5)


def test_a_second_connection_brings_its_own_alarms_and_changes_no_other() -> None:
    one = rules(watched=replace(WATCHED, connection_ids=["vpn-1"]))
    two = rules()
    assert {name: two[name] for name in one} == one
    assert two.keys() - one.keys() == {"vpn-2-any-tunnel-down", "vpn-2-all-tunnels-down"}
