"""How good the candidate's scores are as grades and as probabilities: as they are, and as the release says them, or
calibrated here on other units where it says none."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from model_image.evaluation import Estimate
from model_image.signals.calibration import Calibration
from model_image.training.evaluate import calibration, grades
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.predictions import of_labels, of_numbers
from model_image.training.evaluate.probabilities import of_probabilities, reliability
from model_image.training.evaluate.protocol import Task
from model_image.training.evaluate.rankings import GRADE_GAINS, Run, ranking

SHOWN = 20
"""Products of a recommendation that are looked at."""

FOLDS = 5

Points = list[tuple[float, float, int]]


class Chances(NamedTuple):
    """Of one task. `before` are the scores as they are, cut to 0 to 1, `after` the probabilities. Those are `served`
    where the release has a calibration, which then is `calibration`: it was fitted before the release was sealed, on
    what may be learnt from. Else each fold was calibrated on the others, and `calibration` is fitted on all.
    `graded` has macro-F1 and the MAE of grades, where there are grades."""

    calibration: Calibration
    served: bool
    before: Mapping[str, Estimate]
    after: Mapping[str, Estimate]
    points_before: Points
    points_after: Points
    graded: Mapping[str, Estimate]


def chances(
    task: Task,
    run: Run,
    folds: Mapping[str, int],
    *,
    event: str,
    most: int | None = None,
    served: Calibration | None = None,
) -> Chances:
    """Of the `most` best products of each unit, or of all that were ranked; `folds` by unit. `served` is the release's.

    Raises `MeasureError` where no probability can be had: one class; and without `served` also one score,
    one fold, or no better than chance.
    """
    pairs = [
        (unit, run[unit][product], task.truth[unit].get(product, 0.0))
        for unit in task.truth
        for product in ranking(unit, run.get(unit, {}), most)
    ]
    units = [unit for unit, _, _ in pairs]
    scores, gains = (np.array([pair[at] for pair in pairs], dtype=np.float64) for at in (1, 2))
    truth, fold = (gains >= 1).astype(np.int64), np.array([folds[unit] for unit in units])
    folded = len(set(fold.tolist())) > 1
    if not folded and served is None:
        raise MeasureError(
            f"{task.name}: {len(task.truth)} units in one fold, expected two folds at least: probabilities are checked "
            "on a fold that they were not fitted on; measure more queries or users"
        )
    if served is not None:
        after = served.probability(scores)
    else:
        after = calibration.cross_fitted(scores, truth, fold, task=task.name, event=event)
    before = scores.clip(0, 1)
    return Chances(
        served or calibration.fit(scores, truth, task=task.name, event=event),
        served is not None,
        of_probabilities(truth, before, units),
        of_probabilities(truth, after, units),
        reliability(truth, before),
        reliability(truth, after),
        {} if most or not folded else _graded(scores, gains, fold, units),
    )


def _graded(scores: np.ndarray, gains: np.ndarray, folds: np.ndarray, units: list[str]) -> dict[str, Estimate]:
    known = np.array([GRADE_GAINS.index(gain) for gain in gains.tolist()])
    said = grades.cross_fitted(scores, known, folds)
    f1 = of_labels([str(grade) for grade in known], [str(grade) for grade in said], units)["f1"]
    return {"f1": f1, "grade_mae": of_numbers(known.tolist(), said.tolist(), units)["mae"]}
