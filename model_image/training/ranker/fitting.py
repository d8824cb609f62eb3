"""Fits a ranker: LightGBM's LambdaMART or its listwise kin, small trees, the settings chosen inside what is given.

Burges 2010, "From RankNet to LambdaRank to LambdaMART"; Bruch 2021 for rank_xendcg, which weighs the whole list.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model_image.signals.features import FEATURES

GAINS = {"search": [0, 1, 10, 100], "recommend": [0, 1]}
"""By label: a hundred times the gains of the data's grades; bought or not."""

UP = {"search": ("cosine", "title", "maker", "category", "text", "title_words", "any_words"), "recommend": ()}
DOWN = {"search": ("unwanted",), "recommend": ()}
"""Features that may only raise or lower a score: few queries must not teach the opposite by chance."""

LEAST_TREES = 20
"""Where fewer look best, that is chance."""

SEED = 20_111_001

LEAST_UNITS = 10
"""Queries or users that a ranker is fitted on at least."""


class TooLittleError(ValueError):
    """There is too little to fit a ranker on; the message says how much there is and how much it takes."""


class Group(NamedTuple):
    """A list to be ordered: of a `unit` (query or user), `rows` int64 of the catalogue ascending, their `features` and
    `labels` int64, an index into GAINS."""

    unit: str
    rows: np.ndarray
    features: np.ndarray
    labels: np.ndarray


class Settings(NamedTuple):
    """Of LightGBM: objective, leaves of a tree, least examples of a leaf, learning rate, the most trees."""

    objective: str
    leaves: int
    least: int
    rate: float = 0.05
    most: int = 200


GRID = {
    "search": (Settings("lambdarank", 4, 50), Settings("lambdarank", 7, 50), Settings("rank_xendcg", 7, 50)),
    "recommend": (Settings("lambdarank", 7, 100),),
}
"""What was worth trying on the folds of `validate`. Lost there: 15 leaves, no limits on the direction, labels by a
logistic loss (better on new products, worse on all); rank_xendcg on purchases (.351 against .353). A linear listwise
ranker ties with the trees on search: .745 / .669 against .740 / .671."""

INNER = {"search": 3, "recommend": 1}
"""Inner folds that settings are compared on: all thirds of few queries, one fifth of many users."""

_SHARE = {"search": 3, "recommend": 5}


def fit(task: str, groups: Sequence[Group], *, grid: Sequence[Settings] | None = None) -> tuple[str, Settings, int]:
    """The trees as text, the settings and the number of trees. Deterministic for the same groups.

    Settings and number are those with the best mean NDCG@10 on inner folds by unit; then all `groups` are fitted.
    Raises `TooLittleError` where fewer than LEAST_UNITS units are given.
    """
    settings, trees = choose(task, groups, grid or GRID[task])
    return trained(task, groups, settings, trees), settings, trees


def trained(task: str, groups: Sequence[Group], settings: Settings, trees: int) -> str:
    """So many trees as text, fitted on all `groups`."""
    import lightgbm

    booster = lightgbm.train(_parameters(task, settings), _data(task, groups), num_boost_round=trees)
    return str(booster.model_to_string())


def parts(groups: Sequence[Group], count: int) -> dict[str, int]:
    """0 to `count` - 1 for each unit of `groups`, alike many by chance: the same for the same units."""
    units = sorted({group.unit for group in groups})
    order = np.random.default_rng(SEED).permutation(len(units))
    return {units[at]: place % count for place, at in enumerate(order)}


def choose(task: str, groups: Sequence[Group], grid: Sequence[Settings]) -> tuple[Settings, int]:
    """The best of `grid` with its number of trees."""
    part = parts(groups, _SHARE[task])
    if len(part) < LEAST_UNITS:
        raise TooLittleError(
            f"groups: {len(part)} queries or users, expected {LEAST_UNITS} at least to fit a ranker on {task}"
        )
    curves = [np.mean([_curve(task, groups, one, part, inner) for inner in range(INNER[task])], axis=0) for one in grid]
    best = int(np.argmax([curve.max() for curve in curves]))
    return grid[best], max(LEAST_TREES, int(curves[best].argmax()) + 1)


def _curve(task: str, groups: Sequence[Group], settings: Settings, part: dict[str, int], inner: int) -> np.ndarray:
    """NDCG@10 on the part `inner` after each tree fitted on the others, float64 [settings.most]."""
    import lightgbm

    fitted = _data(task, [group for group in groups if part[group.unit] != inner])
    held = _data(task, [group for group in groups if part[group.unit] == inner], like=fitted)
    record: dict[str, dict[str, list[float]]] = {}
    parameters = _parameters(task, settings) | {"metric": "ndcg", "eval_at": [10]}
    lightgbm.train(parameters, fitted, settings.most, valid_sets=[held], callbacks=[lightgbm.record_evaluation(record)])
    return np.array(record["valid_0"]["ndcg@10"])


def _parameters(task: str, settings: Settings) -> dict[str, Any]:
    names = FEATURES[task]
    return {
        "objective": settings.objective,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least,
        "learning_rate": settings.rate,
        "lambda_l2": 10.0,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "bagging_by_query": True,
        "lambdarank_truncation_level": 20,
        "label_gain": GAINS[task],
        "max_bin": 63,
        "monotone_constraints": [(name in UP[task]) - (name in DOWN[task]) for name in names],
        "seed": SEED,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }


def _data(task: str, groups: Sequence[Group], like: Any = None) -> Any:
    import lightgbm

    return lightgbm.Dataset(
        np.concatenate([group.features for group in groups]),
        np.concatenate([group.labels for group in groups]),
        group=[len(group.rows) for group in groups],
        reference=like,
        feature_name=list(FEATURES[task]),
        params={"verbose": -1, "max_bin": 63},
    )
