"""Labels, probabilities and numbers are measured as scikit-learn does, by units."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from model_image.training.evaluate import bootstrap, predictions, probabilities
from model_image.training.evaluate.errors import MeasureError


def _each(count: int) -> list[str]:
    return [str(at) for at in range(count)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=3, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_counts_of_labels_give_what_scikit_learn_gives(pairs):
    truth, predicted = zip(*pairs, strict=True)
    names = sorted(set(truth) | set(predicted))
    counts = np.zeros((1, 3, len(names)))
    for true, said in pairs:
        counts[0, 0, names.index(true)] += true == said
        counts[0, 1, names.index(true)] += 1
        counts[0, 2, names.index(said)] += 1
    counts = counts.reshape(1, -1)
    for name, score in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        found = predictions.of_counts(name, counts)[0]
        assert found == pytest.approx(score(truth, predicted, average="macro", zero_division=0))
    assert predictions.of_counts("accuracy", counts)[0] == pytest.approx(metrics.accuracy_score(truth, predicted))


def test_labels_have_intervals_around_the_librarys_values():
    random = np.random.default_rng(0)
    truth = random.choice(list("abc"), 300).tolist()
    predicted = [label if random.random() < 0.7 else "a" for label in truth]
    found = predictions.of_labels(truth, predicted, _each(300))
    assert set(found) == {"accuracy", "precision", "recall", "f1"}
    assert found["f1"].value == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert all(0.6 < e.low < e.value < e.high < 0.95 for e in found.values())


def test_a_difference_is_paired_and_surer_than_two_intervals_beside_each_other():
    random = np.random.default_rng(2)
    truth = random.choice(list("abc"), 300).tolist()
    worse = [label if random.random() < 0.7 else "a" for label in truth]
    better = [true if at % 15 == 0 else said for at, (true, said) in enumerate(zip(truth, worse, strict=True))]
    apart = predictions.labels_apart(truth, better, worse, _each(300))["f1"]
    one, other = (predictions.of_labels(truth, said, _each(300))["f1"] for said in (better, worse))
    assert apart.value == pytest.approx(one.value - other.value)
    assert apart.low > 0 > one.low - other.high
    back = predictions.labels_apart(truth, worse, better, _each(300))["f1"]
    assert (back.low, back.high) == pytest.approx((-apart.high, -apart.low))

    values = random.normal(10, 3, 200)
    near, far = values + random.normal(0, 1, 200), values + random.normal(0, 2, 200)
    found = predictions.numbers_apart(values, near, far, _each(200))["mae"]
    assert found.value == pytest.approx(np.abs(near - values).mean() - np.abs(far - values).mean())
    assert found.high < 0
    with pytest.raises(MeasureError, match="expected a finite number"):
        predictions.numbers_apart([1.0], [float("nan")], [1.0], ["0"])


def test_probabilities_have_intervals_around_the_librarys_values():
    random = np.random.default_rng(1)
    given_ = random.random(400).round(2)
    truth = (random.random(400) < given_).astype(int).tolist()
    found = probabilities.of_probabilities(truth, given_, _each(400))
    assert found["auc"].value == pytest.approx(metrics.roc_auc_score(truth, given_))
    assert found["brier"].value == pytest.approx(metrics.brier_score_loss(truth, given_))
    assert all(e.low <= e.value <= e.high for e in found.values())
    assert found["ece"].value < 0.1


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_the_auc_of_a_resample_is_the_librarys_with_weights(rows):
    truth, scores, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = probabilities.weighted_auc(truth, scores, weights[None])[0]
    if set(truth[weights > 0]) == {0.0, 1.0}:
        assert found == pytest.approx(metrics.roc_auc_score(truth, scores, sample_weight=weights))
    else:
        assert math.isnan(found)


def test_more_rows_of_the_same_units_make_no_interval_narrower():
    random = np.random.default_rng(3)
    truth, predicted = random.random(50), random.random(50)
    once = predictions.of_numbers(truth, predicted, _each(50))["mae"]
    often = predictions.of_numbers(np.tile(truth, 9), np.tile(predicted, 9), _each(50) * 9)["mae"]
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert often.count == 50


def test_perfectly_calibrated_bins_have_no_error_and_certain_wrong_ones_have_all():
    right = probabilities.of_probabilities([1, 0, 1, 0], np.array([0.5, 0.5, 0.5, 0.5]), _each(4))
    wrong = probabilities.of_probabilities([1, 0], np.array([0.0, 1.0]), _each(2))
    assert right["ece"].value == 0
    assert wrong["ece"].value == 1
    assert probabilities.reliability([1, 0], np.array([0.0, 1.0])) == [(0.0, 1.0, 1), (1.0, 0.0, 1)]


def test_drawn_weights_are_draws_with_replacement():
    weights = np.concatenate(list(bootstrap.drawn_weights(7, 500, 1, width=1 << 15)))
    assert weights.shape == (500, 7)
    assert (weights.sum(axis=1) == 7).all()


@pytest.mark.parametrize(
    ("measure", "says"),
    [
        (lambda: predictions.of_labels(["a", "a"], ["a", "b"], ["1", "2"]), "all 2 are 'a'"),
        (lambda: predictions.of_labels([], [], []), "one at least"),
        (lambda: predictions.of_labels(["a", "b"], ["a"], ["1", "2"]), "2 true, 1 predicted"),
        (lambda: probabilities.of_probabilities([1, 1], np.array([0.2, 0.3]), ["1", "2"]), "both 0 and 1"),
        (lambda: probabilities.of_probabilities([1, 0], np.array([0.2, 1.3]), ["1", "2"]), r"row 1: 1\.3"),
        (lambda: probabilities.of_probabilities([1, 0], np.array([math.nan, 0.3]), ["1", "2"]), "row 0: nan"),
        (lambda: predictions.of_numbers([1.0, math.nan], [1.0, 1.0], ["1", "2"]), "truth, row 1: nan"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_was_seen(measure, says):
    with pytest.raises(MeasureError, match=says):
        measure()
