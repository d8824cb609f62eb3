"""Metrics of labels and numbers by scikit-learn, with intervals over the units they belong to.

A unit is what is drawn as a whole: the query of a pair, the user of a purchase, or each text by itself. All of them are
statistics of sums by unit, so that 10,000 resamples are one product of matrices.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from model_image.evaluation import Estimate
from model_image.training.evaluate.bootstrap import Statistic, statistic_intervals
from model_image.training.evaluate.errors import MeasureError


def of_labels(truth: Sequence[str], predicted: Sequence[str], units: Sequence[str]) -> dict[str, Estimate]:
    """accuracy, and precision, recall and f1 as means over the labels that occur ("macro"), undefined ones counting 0.

    Raises `MeasureError` for columns of different lengths and for a truth of one label.
    """
    values = _label_values(truth, predicted, units)
    names = sorted(set(truth) | set(predicted))
    statistics: dict[str, Statistic] = {name: partial(of_counts, name) for name in _LABELS}
    return with_values(values, statistic_intervals(by_unit(_counts(names, truth, predicted), units), statistics))


def of_numbers(truth: Sequence[float], predicted: Sequence[float], units: Sequence[str]) -> dict[str, Estimate]:
    """mae, the mean absolute error: of prices, or of grades 0 to 3. Raises `MeasureError` for what is not finite."""
    from sklearn.metrics import mean_absolute_error

    check_lengths(truth, predicted, units)
    for name, column in (("truth", truth), ("predicted", predicted)):
        if not np.isfinite(column).all():
            at = int(np.argmin(np.isfinite(column)))
            raise MeasureError(f"{name}, row {at}: {column[at]}, expected a finite number")
    errors = np.abs(np.asarray(truth, dtype=np.float64) - np.asarray(predicted, dtype=np.float64))
    sums = by_unit(np.column_stack((errors, np.ones_like(errors))), units)
    found = statistic_intervals(sums, {"mae": lambda sums: sums[:, 0] / sums[:, 1]})
    return with_values({"mae": mean_absolute_error(truth, predicted)}, found)


def labels_apart(
    truth: Sequence[str], first: Sequence[str], second: Sequence[str], units: Sequence[str]
) -> dict[str, Estimate]:
    """The metrics of `of_labels` of `first` minus those of `second`, paired. Raises as it does."""
    one, other = _label_values(truth, first, units), _label_values(truth, second, units)
    names = sorted({*truth, *first, *second})
    both = np.hstack([_counts(names, truth, predicted) for predicted in (first, second)])
    statistics: dict[str, Statistic] = {name: partial(_apart, name) for name in _LABELS}
    values = {name: one[name] - other[name] for name in _LABELS}
    return with_values(values, statistic_intervals(by_unit(both, units), statistics))


def numbers_apart(
    truth: Sequence[float], first: Sequence[float], second: Sequence[float], units: Sequence[str]
) -> dict[str, Estimate]:
    """mae of `first` minus that of `second`, paired. Raises as `of_numbers` does."""
    one, other = of_numbers(truth, first, units), of_numbers(truth, second, units)
    right = np.asarray(truth, dtype=np.float64)
    apart = np.abs(np.asarray(first) - right) - np.abs(np.asarray(second) - right)
    found = statistic_intervals(
        by_unit(np.column_stack((apart, np.ones_like(apart))), units), {"mae": lambda sums: sums[:, 0] / sums[:, 1]}
    )
    return with_values({"mae": one["mae"].value - other["mae"].value}, found)


def of_counts(metric: str, counts: np.ndarray) -> np.ndarray:
    """The metric, float [resamples], of how often each label was right, was true and was said: [resamples, 3 * labels],
    one after the other."""
    right, true, said = counts.reshape(len(counts), 3, -1).transpose(1, 0, 2)
    if metric == "accuracy":
        return np.asarray(right.sum(axis=1) / true.sum(axis=1))
    above, below = {"precision": (right, said), "recall": (right, true), "f1": (2 * right, true + said)}[metric]
    present = np.maximum(((true + said) > 0).sum(axis=1), 1)
    return np.asarray((above / np.maximum(below, 1)).sum(axis=1) / present)


def with_values(values: Mapping[str, float], found: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """The library's own values within the intervals of the resamples."""
    return {
        name: Estimate(
            value=float(value),
            low=min(found[name].low, float(value)),
            high=max(found[name].high, float(value)),
            count=found[name].count,
        )
        for name, value in values.items()
    }


def by_unit(rows: np.ndarray, units: Sequence[str]) -> np.ndarray:
    """Sums of `rows` [rows, sums] over the rows of each unit, float64 [units, sums]."""
    _, unit = np.unique(np.asarray(units), return_inverse=True)
    sums = np.zeros((int(unit.max()) + 1, rows.shape[1]))
    np.add.at(sums, unit, rows)
    return sums


def check_lengths(
    truth: Sequence[object] | np.ndarray, predicted: Sequence[object] | np.ndarray, units: Sequence[str]
) -> None:
    """Raises `MeasureError` unless all are of one length, above 0."""
    if not len(truth) == len(predicted) == len(units) or not len(truth):
        raise MeasureError(
            f"{len(truth)} true, {len(predicted)} predicted, {len(units)} units: expected as many, one at least"
        )


def _label_values(truth: Sequence[str], predicted: Sequence[str], units: Sequence[str]) -> dict[str, float]:
    """By scikit-learn. Raises as `of_labels` does."""
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    check_lengths(truth, predicted, units)
    if len(classes := sorted(set(truth))) < 2:
        raise MeasureError(f"labels: all {len(truth)} are {classes[0]!r}, expected two different ones at least")
    macro = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)[:3]
    return dict(zip(_LABELS, map(float, (accuracy_score(truth, predicted), *macro)), strict=True))


def _apart(metric: str, sums: np.ndarray) -> np.ndarray:
    first, second = np.hsplit(sums, 2)
    return of_counts(metric, first) - of_counts(metric, second)


def _counts(names: Sequence[str], truth: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
    """What `of_counts` reads, of each row: float64 [rows, 3 * names]."""
    at = {name: place for place, name in enumerate(names)}
    rows, true, said = np.arange(len(truth)), [at[name] for name in truth], [at[name] for name in predicted]
    found = np.zeros((len(truth), 3, len(names)))
    found[rows, 1, true] = found[rows, 2, said] = 1
    found[:, 0] = found[:, 1] * found[:, 2]
    return found.reshape(len(truth), 3 * len(names))


_LABELS = ("accuracy", "precision", "recall", "f1")
