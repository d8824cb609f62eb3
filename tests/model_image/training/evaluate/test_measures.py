"""From runs to measures and comparisons."""

import numpy as np
import pytest

from model_image.training.evaluate import grades
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.measures import GUARDED, Key, compare, measures, values
from model_image.training.evaluate.protocol import Segment, Task


def _task(count: int = 30, **segments) -> Task:
    truth = {f"u{at}": {"a": 1.0, "b": 0.1} for at in range(count)}
    parts = (Segment(name="all", truth=truth), *(Segment(name=name, **part) for name, part in segments.items()))
    return Task(name="search", asked={}, segments=parts, metrics=("ndcg@10", "hit@1"), catalogue=frozenset("ab"))


def _run(order: str, count: int = 30) -> dict:
    return {f"u{at}": {product: -place for place, product in enumerate(order)} for at in range(count)}


def test_a_substitute_is_worth_something_but_is_no_hit():
    found = values(_task(), _run("b"))
    assert 0 < found[Key("search", "ndcg@10", "all")]["u0"] < 0.1
    assert found[Key("search", "hit@1", "all")]["u0"] == 0


def test_hidden_products_take_no_place():
    part = {"truth": {"u0": {"a": 1.0}}, "hidden": {"u0": frozenset("xyz")}}
    found = values(_task(novel=part), _run("xyza"))
    assert found[Key("search", "hit@1", "novel")] == {"u0": 1.0}
    assert found[Key("search", "hit@1", "all")]["u0"] == 0


def test_segments_of_nobody_are_left_out():
    assert {key.segment for key in values(_task(cold={"truth": {}}), {})} == {"all"}


def test_few_units_are_reported_and_never_guarded():
    key = Key("search", "ndcg@10", "all")
    assert key in GUARDED
    for count, guarded in ((19, False), (20, True)):
        measured = values(_task(count), _run("ab", count))
        assert [m.guarded for m in measures(measured) if m.metric == "ndcg@10"] == [guarded]
        other = compare(measured, measured, "other")
        assert [m.guarded for m in other.differences if m.metric == "ndcg@10"] == [guarded]


def test_a_comparison_is_candidate_minus_other():
    better, worse = values(_task(), _run("ab")), values(_task(), _run("ba"))
    found = {m.metric: m.estimate for m in compare(better, worse, "worse").differences}
    assert found["hit@1"].low == found["hit@1"].value == 1
    assert found["ndcg@10"].low > 0
    assert {m.estimate.high for m in compare(worse, better, "better").differences if m.metric == "hit@1"} == {-1}


def test_grades_by_cut_points_follow_the_scores_and_know_only_other_folds():
    random = np.random.default_rng(0)
    known = random.integers(0, 4, 400)
    scores = known + random.normal(0, 0.2, 400)
    folds = np.arange(400) % 5
    said = grades.cross_fitted(scores, known, folds)
    assert np.abs(said - known).mean() < 0.1
    assert (np.diff(said[folds == 0][np.argsort(scores[folds == 0])]) >= 0).all()
    changed = np.where(folds == 0, 3 - known, known)
    assert (grades.cross_fitted(scores, changed, folds)[folds == 0] == said[folds == 0]).all()
    with pytest.raises(MeasureError, match="two at least"):
        grades.cross_fitted(scores, known, np.zeros(400))
