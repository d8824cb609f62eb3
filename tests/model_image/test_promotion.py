"""The gate: what it lets through, and that each wrong thing alone is enough to be refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.evaluation import Estimate, Measure
from model_image.promotion import headline, objections
from tests.model_image.registry.conftest import measure, measured

STABLE = f"sha256-{'a' * 64}"
FINE = measure(-0.01, 0.02)


def refused(*differences: Measure, **more) -> list[str]:
    return [str(each) for each in objections([measured(*differences, other=STABLE, **more)], STABLE)]


def test_better_and_equal_within_the_interval_pass_in_both_directions() -> None:
    lower = {"task": "price", "metric": "mae", "better": "lower"}
    assert refused(FINE, measure(0.0, 0.0, segment="tail"), measure(-2, -1, **lower)) == []
    assert refused(FINE, measure(-1.0, 0.0, segment="tail"), measure(0, 2, **lower)) == []


def test_one_bad_segment_is_not_made_up_for_and_every_one_is_told() -> None:
    told = refused(measure(0.2, 0.3), measure(-0.03, -0.01, segment="tail"), measure(-0.3, -0.1, segment="user=new"))
    assert [line.partition(":")[0] for line in told] == ["search ndcg@10 on tail", "search ndcg@10 on user=new"]
    assert "-0.02 [-0.03, -0.01] over 100, expected an interval that reaches 0 or above" in told[0]


def test_a_measure_where_less_is_better_is_refused_when_it_grows() -> None:
    assert "reaches 0 or below" in refused(FINE, measure(1, 2, metric="mae", better="lower"))[0]


def test_what_is_not_guarded_does_not_count() -> None:
    assert refused(FINE, measure(-2, -1, segment="tail", guarded=False)) == []


@given(low=st.floats(-1, 1), width=st.floats(0, 1))
def test_a_difference_is_refused_exactly_where_its_whole_interval_is_worse(low: float, width: float) -> None:
    high = low + width
    estimate = Estimate(value=low, low=low, high=high, count=5)
    for better, worse in (("higher", high < 0), ("lower", low > 0)):
        fields = {"task": "search", "metric": "ndcg@10", "segment": "all", "guarded": True}
        assert bool(refused(Measure(better=better, estimate=estimate, **fields))) == worse


@pytest.mark.parametrize(
    "estimate",
    [
        Estimate(value=math.nan, low=math.nan, high=math.nan, count=5),
        Estimate(value=0.1, low=0.0, high=math.inf, count=5),
        Estimate(value=0.1, low=0.2, high=0.3, count=5),
        Estimate(value=0.0, low=0.0, high=0.0, count=0),
    ],
    ids=["not a number", "infinite", "out of order", "over nothing"],
)
def test_numbers_that_say_nothing_do_not_pass(estimate: Estimate) -> None:
    bad = Measure(task="search", metric="ndcg@10", segment="all", better="higher", guarded=True, estimate=estimate)
    assert "expected finite numbers" in refused(bad)[0]


def test_without_a_comparison_with_the_very_stable_release_nothing_passes() -> None:
    for candidate in ([], [measured()], [measured(FINE, other="popularity")]):
        (told,) = objections(candidate, STABLE)
        assert told.field == "evaluation"
        assert STABLE in told.rule


def test_a_comparison_on_other_data_than_the_newest_evaluation_does_not_count() -> None:
    old = measured(FINE, other=STABLE, created="2026-01-01", data_revision="d1")
    (told,) = objections([old, measured(created="2026-01-02", data_revision="d2")], STABLE)
    assert (told.field, told.value) == ("data_revision", "d1")
    assert "d2" in told.rule


def test_of_two_comparisons_the_newest_counts_though_an_older_one_was_luckier() -> None:
    lucky = measured(FINE, other=STABLE, created="2026-01-01")
    newest = measured(measure(-0.2, -0.1), other=STABLE, created="2026-01-02")
    assert objections([newest, lucky], STABLE)


def test_a_guarded_metric_cannot_be_left_out_of_the_comparison() -> None:
    more = (measure(0.5, 0.6), measure(0.5, 0.6, task="recommend", metric="hit@10"))
    assert "recommend hit@10 on all: not compared" in refused(FINE, measures=more)[0]
    told = objections([measured(FINE, other=STABLE)], STABLE, of_stable=[measured(measures=more)])
    assert [each.field for each in told] == ["recommend hit@10 on all"]
    assert "no guarded measure" in refused(measure(0, 1, guarded=False), measures=())[0]


@pytest.mark.parametrize(
    ("now", "passes"), [({"search": 16.9}, True), ({"search": 17.1}, False), ({}, False), ({"search": math.nan}, False)]
)
def test_latency_has_a_budget_and_is_not_passed_by_silence(now: dict[str, float], passes: bool) -> None:
    assert (refused(FINE, latency_ms=now) == []) is passes


@pytest.mark.parametrize(("now", "passes"), [(5.29, True), (5.31, False), (math.nan, False)])
def test_a_few_milliseconds_pass_however_fast_the_stable_release_is(now: float, passes: bool) -> None:
    told = refused(FINE, latency_ms={"search": now}, other_latency_ms={STABLE: {"search": 0.25}})
    assert (told == []) is passes


def test_latency_that_was_not_measured_beside_the_stable_release_is_refused() -> None:
    assert "latency_ms: not measured" in refused(FINE, other_latency_ms={})[0]
    assert refused(FINE, latency_ms={"search": 10, "a new task": 900}) == []


def test_a_larger_budget_lets_a_slower_release_through() -> None:
    slow = [measured(FINE, other=STABLE, latency_ms={"search": 19.0})]
    assert objections(slow, STABLE)
    assert objections(slow, STABLE, budget=2.0) == ()


def test_the_main_numbers_are_the_guarded_ones_over_all_of_the_newest_evaluation() -> None:
    old = measured(created="2026-01-01")
    more = (measure(0.7, 0.7), measure(0.1, 0.1, segment="tail"), measure(0.2, 0.2, metric="mrr", guarded=False))
    assert headline([measured(created="2026-01-02", measures=more), old]) == {"search ndcg@10": 0.7}
    assert headline([]) == {}


NOVEL = {"task": "recommend", "segment": "novel"}


def test_a_segment_that_the_stable_release_guarded_counts_where_the_candidate_has_too_few_users_to_guard_it() -> None:
    of_stable = [measured(measures=(measure(0.5, 0.6), measure(0.1, 0.2, **NOVEL)))]
    for low, high, fields in ((-0.3, -0.1, ["recommend ndcg@10 on novel"]), (-0.3, 0.1, [])):
        candidate = measured(FINE, measure(low, high, guarded=False, **NOVEL), other=STABLE)
        assert [each.field for each in objections([candidate], STABLE, of_stable=of_stable)] == fields


def test_a_guarded_segment_cannot_be_left_out_of_the_comparison() -> None:
    of_stable = [measured(measures=(measure(0.5, 0.6), measure(0.1, 0.2, segment="tail")))]
    (told,) = objections([measured(FINE, other=STABLE)], STABLE, of_stable=of_stable)
    assert (told.field, told.value) == ("search ndcg@10 on tail", "not compared")
    assert "scripts/releases record" in told.way_out
