"""Rankings are measured as the reference says, and nothing that should count is left out."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.rankings import at_least, per_query, ranking, unknown_products

_PRODUCTS = st.text(alphabet="abc1 é红>", min_size=1, max_size=3)
_TRUTHS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]),
    st.dictionaries(_PRODUCTS, st.sampled_from([0.0, 0.01, 0.1, 1.0]), max_size=6),
    min_size=1,
)
_SCORES = st.one_of(st.sampled_from([0.0, 1.0, 1.0 + 1e-12]), st.floats(allow_nan=False))
_RUNS = st.dictionaries(st.sampled_from(["q1", "q2", "q4"]), st.dictionaries(_PRODUCTS, _SCORES, max_size=8))


def naive(gains: dict[str, float], scores: dict[str, float], name: str, k: int) -> float:
    """The definitions, word for word."""
    top = sorted(scores, key=lambda product: (-scores[product], product))[:k]
    found = [gains.get(product, 0.0) for product in top]
    relevant = sum(gain > 0 for gain in gains.values())
    if not relevant:
        return 0.0
    if name == "ndcg":
        ideal = sorted(gains.values(), reverse=True)[:k]
        dcg, best = (sum(g / math.log2(at + 2) for at, g in enumerate(row)) for row in (found, ideal))
        return dcg / best
    if name == "mrr":
        return next((1 / (at + 1) for at, gain in enumerate(found) if gain > 0), 0.0)
    hits = sum(gain > 0 for gain in found)
    return hits / relevant if name == "recall" else float(hits > 0)


@given(truth=_TRUTHS, run=_RUNS, name=st.sampled_from(["ndcg", "mrr", "recall", "hit"]), k=st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_every_metric_equals_its_definition(truth, run, name, k):
    found = per_query(truth, run, f"{name}@{k}")
    assert list(found) == list(truth)
    for query, gains in truth.items():
        assert found[query] == pytest.approx(naive(gains, run.get(query, {}), name, k), abs=1e-9)


@given(truth=_TRUTHS, run=_RUNS)
@settings(max_examples=100, deadline=None)
def test_ndcg_without_a_cut_sees_the_whole_ranking(truth, run):
    assert per_query(truth, run, "ndcg") == pytest.approx(per_query(truth, run, "ndcg@9999"), abs=1e-9)


@given(truth=_TRUTHS, run=_RUNS)
@settings(max_examples=50, deadline=None)
def test_ndcg_does_not_change_with_the_scale_of_the_gains(truth, run):
    tenfold = {query: {product: gain * 100 for product, gain in gains.items()} for query, gains in truth.items()}
    assert per_query(tenfold, run, "ndcg@5") == pytest.approx(per_query(truth, run, "ndcg@5"), abs=1e-9)


def test_a_query_that_is_not_answered_or_has_nothing_relevant_counts_zero():
    truth = {"answered": {"a": 1.0}, "missing": {"a": 1.0}, "empty": {"a": 1.0}, "hopeless": {"a": 0.0}, "bare": {}}
    run = {"answered": {"a": 1.0}, "empty": {}, "hopeless": {"a": 1.0}, "bare": {"a": 1.0}, "other": {"a": 1.0}}
    for metric in ("ndcg", "ndcg@10", "mrr@10", "recall@10", "hit@10"):
        assert per_query(truth, run, metric) == {"answered": 1, "missing": 0, "empty": 0, "hopeless": 0, "bare": 0}


def test_equal_scores_are_ordered_by_product_id():
    scores = {"b": 1.0, "a": 1.0, "c": 2.0}
    assert ranking("q", scores) == ["c", "a", "b"]
    assert per_query({"q": {"a": 1.0}}, {"q": scores}, "mrr@10") == {"q": 0.5}


def test_scores_that_single_precision_cannot_tell_apart_keep_their_order():
    scores = {"a": 1.0, "b": 1.0 + 1e-12}
    assert per_query({"q": {"b": 1.0}}, {"q": scores}, "hit@1") == {"q": 1.0}


def test_exact_matches_alone_are_at_least_one():
    truth = {"q": {"exact": 1.0, "substitute": 0.1}, "r": {"substitute": 0.1}}
    assert at_least(truth, 1.0) == {"q": {"exact": 1.0}, "r": {}}


def test_products_that_no_catalogue_knows_are_counted_and_take_their_place():
    run = {"q": {"ghost": 2.0, "a": 1.0}, "r": {"ghost": 1.0}}
    assert unknown_products(run, ["a", "b"]) == {"ghost": 2}
    assert per_query({"q": {"a": 1.0}}, run, "mrr@10") == {"q": 0.5}


def test_a_nan_score_is_refused_with_query_and_product():
    with pytest.raises(MeasureError, match=r"query 'red shoe', product 'B7'.*NaN"):
        per_query({"red shoe": {"a": 1.0}}, {"red shoe": {"a": 1.0, "B7": math.nan}}, "ndcg@10")


@pytest.mark.parametrize("gain", [-1.0, math.nan, math.inf])
def test_a_gain_that_is_no_gain_is_refused(gain):
    with pytest.raises(MeasureError, match="query 'q', product 'a'"):
        per_query({"q": {"a": gain}}, {}, "ndcg@10")


def test_gains_that_no_whole_numbers_stand_for_are_refused():
    with pytest.raises(MeasureError, match=r"0\.333.*fewer digits"):
        per_query({"q": {"a": 1 / 3, "b": 1.0}}, {}, "ndcg@10")


def test_an_empty_truth_is_refused():
    with pytest.raises(MeasureError, match="truth is empty"):
        per_query({}, {}, "ndcg@10")


@pytest.mark.parametrize("metric", ["ndcg@0", "ndcg@", "map@10", "mrr", "NDCG@10", "ndcg@10 "])
def test_another_metric_is_refused(metric):
    with pytest.raises(MeasureError, match=re.escape(repr(metric))):
        per_query({"q": {"a": 1.0}}, {}, metric)
