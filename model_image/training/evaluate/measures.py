"""Runs to measures: the metrics of a task by unit, their intervals, and the differences to other systems."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from model_image.evaluation import Comparison, Estimate, Measure
from model_image.training.evaluate.bootstrap import intervals
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.protocol import ALL, Segment, Task
from model_image.training.evaluate.rankings import Run, at_least, per_query
from model_image.training.evaluate.segments import FEWEST


class Key(NamedTuple):
    """What may be guarded."""

    task: str
    metric: str
    segment: str


Values = Mapping[Key, Mapping[str, float]]
"""Each metric of each segment, by unit."""

GUARDED = frozenset(
    {
        Key("search", "ndcg@10", ALL),
        *(Key("recommend", metric, segment) for metric in ("ndcg@10", "recall@20") for segment in (ALL, "novel")),
    }
)
"""What a release must not lose to be promoted, unless told otherwise: what the two pages of a shop live from."""


def values(task: Task[Any], run: Run) -> dict[Key, dict[str, float]]:
    """Raises `MeasureError`, as `per_query` does. Segments without a unit are left out, all but the first."""
    found: dict[Key, dict[str, float]] = {}
    for segment in task.segments:
        if segment.truth or segment.name == ALL:
            shown = _shown(segment, run)
            for metric in task.metrics:
                # Graded gains are for NDCG: a substitute is no hit.
                truth = segment.truth if metric.startswith("ndcg") else at_least(segment.truth, 1.0)
                found[Key(task.name, metric, segment.name)] = per_query(truth, shown, metric)
    return found


def measures(measured: Values, *, guarded: Collection[Key] = GUARDED) -> tuple[Measure, ...]:
    """With intervals; segments of fewer than `FEWEST` units are never guarded."""
    estimates = _estimates(measured)
    return tuple(
        Measure(
            task=key.task,
            metric=key.metric,
            segment=key.segment,
            better="higher",
            guarded=key in guarded and estimates[key].count >= FEWEST,
            estimate=estimates[key],
        )
        for key in measured
    )


def compare(candidate: Values, other: Values, name: str, *, guarded: Collection[Key] = GUARDED) -> Comparison:
    """Candidate minus other by unit, of all that both were measured on. Raises `MeasureError` for other units."""
    differences = {key: _minus(key, units, other[key]) for key, units in candidate.items() if key in other}
    return Comparison(other=name, differences=measures(differences, guarded=guarded))


def _minus(key: Key, units: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    if units.keys() != other.keys():
        raise MeasureError(f"{key}: {len(units)} and {len(other)} units, expected the same; measure both on one task")
    return {unit: value - other[unit] for unit, value in units.items()}


def _estimates(measured: Values) -> dict[Key, Estimate]:
    """Those of the same units together: drawing them is what takes the time."""
    together: defaultdict[tuple[str, ...], list[Key]] = defaultdict(list)
    for key, units in measured.items():
        together[tuple(units)].append(key)
    found: dict[Key, Estimate] = {}
    for names, keys in together.items():
        columns = np.array([[measured[key][unit] for key in keys] for unit in names])
        found |= zip(keys, intervals(columns), strict=True)
    return found


def _shown(segment: Segment, run: Run) -> Run:
    """The rankings of the segment's units without their hidden products."""
    return {
        unit: {
            product: score
            for product, score in run[unit].items()
            if product not in segment.hidden.get(unit, frozenset())
        }
        for unit in segment.truth
        if unit in run
    }
