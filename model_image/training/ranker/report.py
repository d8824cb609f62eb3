"""A cross-validation as a table: each system's mean, and by how much the ranker is above it, with the interval."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from model_image.training.evaluate.bootstrap import interval, paired
from model_image.training.evaluate.rankings import Run, Truth, per_query

RANKER = "ranker"
METRIC = "ndcg@10"


class Part(NamedTuple):
    """A segment: what is true of its units, and what each system gives them; one of the systems is RANKER."""

    name: str
    truth: Truth
    runs: Mapping[str, Run]


def table(part: Part) -> list[str]:
    """One line per system. "better" says that the interval of ranker - system lies above 0, "worse" below it."""
    values = {name: per_query(part.truth, run, METRIC) for name, run in part.runs.items()}
    ours = interval(values[RANKER])
    lines = [f"{part.name:<28} {RANKER:<14} {ours.value:.4f} [{ours.low:.4f}, {ours.high:.4f}] of {ours.count}"]
    for name, found in values.items():
        if name != RANKER:
            gain = paired(values[RANKER], found)
            word = "better" if gain.low > 0 else "worse" if gain.high < 0 else "not shown to be better"
            mean = float(np.mean(list(found.values())))
            lines.append(
                f"{part.name:<28} {name:<14} {mean:.4f}  ranker - it {gain.value:+.4f} "
                f"[{gain.low:+.4f}, {gain.high:+.4f}] {word}"
            )
    return lines


def scored(ids: list[str], rows: Iterable[int], scores: np.ndarray, most: int = 200) -> dict[str, float]:
    """The best of a ranking as a run has it."""
    rows = np.asarray(rows)
    best = np.argsort(-scores, kind="stable")[:most]
    # Places, not scores: equal scores keep the catalogue's order, as a server answers.
    return {ids[int(rows[at])]: float(-place) for place, at in enumerate(best)}
