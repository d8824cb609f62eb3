"""When a surge is told of and when not, evaluated by Prometheus itself over made-up days of texts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config.surges import SurgeConfig
from infra.onprem.site_rules import rule_groups
from scripts.localcloud.console import UserError
from tests.infra.onprem.test_site_rules_fire import Promtool, case
from tests.infra.onprem.test_surges import USUAL, watch

pytestmark = pytest.mark.cloud

SURGE, UNKNOWN = {"label-surge"}, {"label-unknown"}
# The shortest baseline that may be: a day of it takes four times as long to evaluate, which one test does.
QUICK = SurgeConfig(**vars(USUAL) | {"baseline_hours": 6})
DAY = 24 * 60
# Texts a minute: 525 in a window.
MANY = 35
# When something happens: the baseline is whole, and an hour more.
NOW = 6 * 60 + 75
READY = {'serving_ready{namespace="serving",pod="a"}': f"1x{5 * DAY}"}


@pytest.fixture
def promtool(tmp_path: Path) -> Promtool:
    return rules(tmp_path, QUICK)


def rules(folder: Path, config: SurgeConfig) -> Promtool:
    """With those of the one watched label alone."""
    *_, surges = rule_groups(watch(config), "serving", servers=1, tunnels=False, cache=False)["groups"]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [surges]}))
    return Promtool(folder)


def counter(*pieces: tuple[int, float]) -> str:
    """A value a minute, of a counter that was there from the beginning: minutes and how much each adds."""
    values, total = "0", 0.0
    for minutes, each in pieces:
        values += f" {total + each:.6f}+{each:.6f}x{minutes - 1}"
        total += minutes * each
    return values


def series(label: str, values: str, *, pod: str = "a", release: str = "r1", channel: str = "stable") -> dict[str, str]:
    of = f'namespace="serving",pod="{pod}",task="sentiment",label="{label}",release="{release}",channel="{channel}"'
    return {f"serving_classified_total{{{of}}}": values}


def texts(*pieces: tuple[int, float, float], **more: str) -> dict[str, str]:
    """Minutes, texts a minute, and the share of those that are negative."""
    negative = counter(*((minutes, each * share) for minutes, each, share in pieces))
    others = counter(*((minutes, each * (1 - share)) for minutes, each, share in pieces))
    return series("negative", negative, **more) | series("positive", others, **more)


def later(at: int, values: dict[str, str]) -> dict[str, str]:
    """Series that are not there before minute `at`."""
    return {name: f"_x{at - 1} {text}" for name, text in values.items()}


def after(share: float, then: float, each: float = MANY) -> dict[str, str]:
    """A share of the texts until NOW, and another one for two hours."""
    return texts((NOW, each, share), (120, each, then))


def told(name: str, given: dict[str, str], expected: dict[int, set[str]], **more: str) -> Any:
    return case(name, READY | given, expected, **more)


def never(name: str, given: dict[str, str], minutes: range = range(NOW, NOW + 120, 5)) -> Any:
    return told(name, given, {minute: set() for minute in minutes})


def test_a_doubled_share_of_500_texts_is_told_within_minutes_and_ends_with_it(promtool: Promtool) -> None:
    doubled = texts((NOW, MANY, 0.2), (60, MANY, 0.4), (60, MANY, 0.2))
    rare = {NOW + 3: set(), NOW + 16: SURGE}
    promtool.judge(
        [
            told("a fifth", doubled, {NOW: set(), NOW + 5: set(), NOW + 12: SURGE, NOW + 59: SURGE, NOW + 90: set()}),
            told("a tenth", after(0.1, 0.2), rare),
            told("known, and never given before", after(0, 0.1), rare),
            told("not more of them, but fewer others", texts((NOW, MANY, 0.2), (60, MANY / 2, 0.4)), rare),
        ]
    )


def test_few_texts_at_night_are_no_surge(promtool: Promtool) -> None:
    day = (NOW, MANY, 0.2)
    three_of_four = texts(day, (60, 0, 0), (1, 3, 1), (1, 1, 0), (60, 0, 0))
    promtool.judge(
        [
            never("three of four", three_of_four, range(NOW, NOW + 120)),
            never("all of 45", texts(day, (60, 0, 0), (60, 3, 1)), range(NOW + 30, NOW + 120)),
            never("more than a third of 60, where it was a fifth", after(0.2, 0.36, each=4)),
        ]
    )


def test_no_texts_are_no_surge(promtool: Promtool) -> None:
    promtool.judge(
        [
            never("none at all", texts((NOW + 120, 0, 0))),
            never("none any more", texts((NOW, MANY, 0.2), (120, 0, 0))),
            told("no servers either", {next(iter(READY)): "_x90"}, {NOW: set(), NOW + 90: set()}),
        ]
    )


def test_a_rise_that_is_sure_but_small_is_no_surge(promtool: Promtool) -> None:
    promtool.judge(
        [
            never("by three tenths", after(0.2, 0.26, each=1000)),
            never("by two points", after(0.02, 0.039, each=1000)),
            never("downwards", after(0.4, 0.1)),
        ]
    )


def test_a_slow_drift_over_days_is_no_surge(tmp_path: Path) -> None:
    """From a tenth to a fifth in two days, and the same in an hour; against the usual day before."""
    start, hours = 6 * 60, 48
    drift = [(start, MANY, 0.1), *((60, MANY, 0.1 + 0.1 * hour / hours) for hour in range(hours)), (60, MANY, 0.2)]
    quick = [(start, MANY, 0.1), *((6, MANY, 0.1 + 0.01 * step) for step in range(10)), (240, MANY, 0.2)]
    end = start + 60 * hours
    rules(tmp_path, USUAL).judge(
        [
            never("in two days", texts(*drift), range(start, end + 60, 10)),
            told("in an hour", texts(*quick), {start + 75: SURGE}),
        ]
    )


def test_a_release_without_the_label_is_no_surge_and_told_of_after_an_hour(promtool: Promtool) -> None:
    before = {name: f"{values} _x300" for name, values in texts((NOW, MANY, 0.2)).items()}
    without = later(NOW + 1, series("positive", counter((180, MANY)), release="r2"))
    expected = {NOW + 30: set(), NOW + 60: set(), NOW + 75: UNKNOWN, NOW + 120: UNKNOWN}
    never_had = series("positive", counter((NOW + 180, MANY)))
    promtool.judge(
        [
            told("gone", before | without, expected),
            told("never there", never_had, {50: set(), 62: UNKNOWN, NOW: UNKNOWN}),
        ]
    )


def test_a_label_is_compared_with_texts_of_releases_that_know_it(promtool: Promtool) -> None:
    """Four in ten are negative for the first release that can say so."""
    minutes = [*range(NOW, NOW + 120, 5), *range(NOW + 120, NOW + 720, 60)]
    before = {name: f"{values} _x720" for name, values in series("positive", counter((NOW, MANY))).items()}
    new = texts((720, MANY, 0.4), release="r2")
    surged = texts((240, MANY, 0.4), (60, MANY, 0.8), release="r2")
    canary = later(60, texts((NOW - 60, 2, 0.4), release="r2", channel="canary"))
    canary = {name: f"{values} _x720" for name, values in canary.items()}
    expected: dict[int, set[str]] = {minute: set() for minute in minutes}
    promtool.judge(
        [
            told("new", before | later(NOW + 1, new), expected),
            told("on trial first", before | canary | later(NOW + 1, new), expected),
            told("a surge of it", before | later(NOW + 1, surged), {NOW + 240: set(), NOW + 255: SURGE}),
        ]
    )


def test_a_surge_is_not_in_its_own_baseline(tmp_path: Path) -> None:
    """Half as much again as before; not half as much again as before and now together."""
    longest = rules(tmp_path, SurgeConfig(**vars(QUICK) | {"window_minutes": 60}))
    longest.judge([told("an hour", after(0.2, 0.32), {NOW + 30: set(), NOW + 58: SURGE})])


def test_the_first_day_has_no_baseline_and_one_of_few_texts_is_none(promtool: Promtool) -> None:
    promtool.judge(
        [
            never("from the beginning", texts((300, MANY, 0.9)), range(0, 300, 5)),
            never("after a few to try it", texts((15, 1, 0), (15, MANY, 0.15)), range(0, 31)),
        ]
    )


def test_pods_and_channels_are_one_site(promtool: Promtool) -> None:
    """Of each alone there would be too few texts."""
    pods = texts((NOW, 2, 0.2), (30, 2, 0.8), pod="a") | texts((NOW, 2, 0.2), (30, 2, 0.8), pod="b")
    canary = texts((NOW, 2, 0.2), (30, 2, 0.8), pod="b", release="r2", channel="canary")
    promtool.judge([told("pods and canary", pods | canary, {NOW: set(), NOW + 20: SURGE})])


def test_a_page_where_the_settings_say_so(promtool: Promtool) -> None:
    given, expected = after(0.2, 0.4), {NOW + 20: SURGE}
    promtool.judge([told("a ticket", given, expected, severity="ticket")])
    page = SurgeConfig(**vars(QUICK) | {"severity": "page"})
    rules(promtool.folder, page).judge([told("a page", given, expected, severity="page")])


def test_the_tool_would_tell_of_a_surge_that_is_not_expected(promtool: Promtool) -> None:
    with pytest.raises(UserError, match="FAILED"):
        promtool.judge([told("doubled", after(0.2, 0.4), {NOW + 20: set()})])
