"""Calibrates a ranker: its scores on lists as a server ranks them, of units its models did not learn from."""

from collections.abc import Sequence

import numpy as np

from model_image.signals.calibration import EVENTS, Calibration
from model_image.training.evaluate import calibration
from model_image.training.evaluate.errors import MeasureError
from model_image.training.ranker.fitting import GAINS, Group, Settings, parts, trained
from model_image.training.ranker.scoring import scorer

FOLDS = {"search": 5, "recommend": 2}
"""Of units; each is scored by trees fitted on the others. With few queries the trees overfit: the slope is .68 out of
fold, .80 on what was fitted. Many users are not: .738 by halves, .732 by fifths, and a half takes 9 seconds to fit."""

MOST = 100
"""The best of each list, as many as a server gives. The rest, which hardly anybody buys and nobody is shown,
would shape the curve: of the ten best it then said .323 where .291 came true, instead of .313."""

LEAST = 20
"""Products that are right, and that are not: ten for each number that is fitted (Peduzzi et al. 1996)."""


def calibrate(
    task: str, groups: Sequence[Group], served: Sequence[Group], settings: Settings, trees: int
) -> Calibration:
    """Of the ranker that was fitted on `groups` with `settings` and so many `trees`, on the lists `served`.

    Lists to learn from will not do for it: of what was not bought they have a draw, so that all would seem twice as
    likely as it is. The trees are as many as the ranker's, a number chosen with all units in view: it is the scale of
    the scores. Deterministic for the same lists. Raises `MeasureError` for less than LEAST, and for scores that are no
    better than chance.
    """
    part = parts([*groups, *served], FOLDS[task])
    scores, right = [np.empty(0)], [np.empty(0, dtype=np.int64)]
    for fold in range(FOLDS[task]):
        score = scorer(trained(task, [group for group in groups if part[group.unit] != fold], settings, trees), task)
        for group in served:
            if part[group.unit] == fold:
                found = score(group.features)
                best = np.argsort(-found, kind="stable")[:MOST]
                scores.append(found[best])
                right.append(group.labels[best] == len(GAINS[task]) - 1)
    truth = np.concatenate(right).astype(np.int64)
    if min(truth.sum(), (1 - truth).sum()) < LEAST:
        raise MeasureError(
            f"{task}: {truth.sum()} of {len(truth)} products are right, expected {LEAST} at least that are and {LEAST} "
            "that are not"
        )
    return calibration.fit(np.concatenate(scores), truth, task=task, event=EVENTS[task])
