"""Percentile bootstrap over queries, users or texts (Efron & Tibshirani 1993, chapter 13), vectorised and seeded.

Units are drawn with replacement as a whole: the products of one query are not independent of each other. The interval
is from the 2.5th to the 97.5th percentile of 10,000 resamples, and is widened to hold the value itself where rounding
or a very skew statistic would leave it outside. The same numbers give the same interval on every machine.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from model_image.evaluation import Estimate
from model_image.training.evaluate.errors import MeasureError

RESAMPLES = 10_000
SEED = 20_111_001
_CHUNK = 1 << 21  # draws held at once: 16 MB of positions

Values = Mapping[str, float] | Sequence[float] | np.ndarray
"""One number per unit; a mapping names the units."""

Statistic = Callable[[np.ndarray], np.ndarray]
"""Sums, float64 [resamples, sums], to float64 [resamples]."""


def interval(values: Values, *, resamples: int = RESAMPLES, seed: int = SEED) -> Estimate:
    """The mean with its 95 % interval. Raises `MeasureError` for no value and for one that is not finite."""
    return intervals(_array(values)[:, None], resamples=resamples, seed=seed)[0]


def paired(first: Values, second: Values, *, resamples: int = RESAMPLES, seed: int = SEED) -> Estimate:
    """The mean of `first` - `second` by unit, with its interval; "better" is `low` > 0.

    Mappings are paired by their keys. Raises `MeasureError` when the units differ.
    """
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        if only := sorted(first.keys() ^ second.keys()):
            raise MeasureError(
                f"unit {only[0]!r} and {len(only) - 1} more are in one of two alone; measure both on all"
            )
        second = [second[unit] for unit in first]
    one, other = _array(first), _array(second)
    if one.shape != other.shape:
        raise MeasureError(f"{len(one)} and {len(other)} values, expected as many; measure both on the same units")
    return intervals((one - other)[:, None], resamples=resamples, seed=seed)[0]


def statistic_intervals(
    units: np.ndarray,
    statistics: Mapping[str, Statistic],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Estimate]:
    """Any statistics of sums, by name: `units` is float64 [units, sums].

    F1 is one of the sums of the confusion matrix, for example. A resample where one is undefined gives NaN and is left
    out. Raises `MeasureError` where a statistic of all is undefined.
    """
    if not len(units):
        raise MeasureError("0 units, expected one at least; check the fold, the cut or the segment")
    whole = units.sum(axis=0, keepdims=True)
    sums = np.concatenate(
        [counts @ units for counts in drawn_weights(len(units), resamples, seed, width=units.shape[1])]
    )
    return {
        name: estimate(float(statistic(whole)[0]), statistic(sums), len(units))
        for name, statistic in statistics.items()
    }


def estimate(value: float, resampled: np.ndarray, count: int) -> Estimate:
    """The percentiles of `resampled` around `value`. Raises `MeasureError` where the value is not finite."""
    if not np.isfinite(value):
        raise MeasureError(f"the statistic of {count} units is {value}, expected a number; it is undefined for them")
    kept = resampled[np.isfinite(resampled)]
    low, high = np.percentile(kept, (2.5, 97.5)) if len(kept) else (value, value)
    return Estimate(value=value, low=min(float(low), value), high=max(float(high), value), count=count)


def intervals(columns: np.ndarray, *, resamples: int = RESAMPLES, seed: int = SEED) -> list[Estimate]:
    """`interval` of each column of finite float64 [units, columns]: the units are drawn once for all of them."""
    # Means of the distance to one of them: equal values give a width of exactly 0.
    first = columns[0]
    apart = columns - first
    sums = [counts @ apart for counts in drawn_weights(len(columns), resamples, seed, width=columns.shape[1])]
    means = first + np.concatenate(sums) / len(columns)
    middle = first + apart.mean(axis=0)
    return [estimate(float(middle[at]), means[:, at], len(columns)) for at in range(columns.shape[1])]


def drawn_weights(count: int, resamples: int, seed: int, *, width: int = 1) -> Iterator[np.ndarray]:
    """How often each unit was drawn, float64 [resamples, count], in chunks; each row adds up to `count`.

    `width` are the numbers that the caller makes of a row, so that a chunk of those fits into memory too.
    """
    for drawn in _drawn(count, resamples, seed, width):
        flat = drawn + np.arange(len(drawn))[:, None] * count
        yield np.bincount(flat.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)


def _drawn(count: int, resamples: int, seed: int, width: int = 1) -> Iterator[np.ndarray]:
    """Positions of the drawn units, int [resamples, count], in chunks."""
    random = np.random.default_rng(seed)
    rows = max(1, _CHUNK // max(count, width))
    for start in range(0, resamples, rows):
        yield random.integers(0, count, size=(min(rows, resamples - start), count))


def _array(values: Values) -> np.ndarray:
    names = list(values) if isinstance(values, Mapping) else None
    array = np.asarray(list(values.values()) if isinstance(values, Mapping) else values, dtype=np.float64)
    if array.ndim != 1 or not len(array):
        raise MeasureError(f"values of shape {array.shape}, expected one per unit and one unit at least")
    if (wrong := ~np.isfinite(array)).any():
        at = int(np.argmax(wrong))
        raise MeasureError(f"unit {names[at] if names else at!r}: {array[at]}, expected a finite number")
    return array
