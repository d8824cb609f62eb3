"""What the first rank does: releases to compare, and of trained models those that gain."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from model_image.evaluation import Comparison, Evaluation
from model_image.server.backend import Backend
from model_image.training.build import Models, build
from model_image.training.dataset import Dataset
from model_image.training.evaluate.evaluating import evaluate
from model_image.training.evaluate.questions import Settings
from model_image.training.evaluate.releases import name_of
from model_image.training.loop.errors import step
from model_image.training.loop.learn import Say

HEADLINES = frozenset({("search", "ndcg@10"), ("recommend", "ndcg@10")})
"""A trained model stays where one of these gains on all, with the whole interval, and none loses so."""


class Chooser:
    """Builds candidates in `work` and measures them; vectors of the baselines are kept there."""

    def __init__(self, dataset: Dataset, backend: Backend, work: Path, say: Say) -> None:
        self._dataset = dataset
        self._backend = backend
        self._work = work
        self._say = say
        self._settings = Settings(fold=dataset.prepared.hold_fold, cache=work / "vectors")

    def choose(self, trained: Mapping[str, Path]) -> tuple[Path, Models]:
        """The folder of the best candidate, not sealed, and its models. Raises `LoopError`."""
        models = Models(tasks={task: trained[task] for task in ("classify", "regress") if task in trained})
        best = self._build("plain", models)
        for task, change in (("retrieve", "encoder"), ("rank", "cross_encoder")):
            if task not in trained:
                continue
            more = Models(**{**vars(models), change: trained[task]})
            candidate = self._build(task, more)
            comparison = self.evaluate(candidate, best).compared_with(name_of(best))
            if comparison and gains(comparison):
                self._say(f"trained for {task}: stays")
                best, models = candidate, more
            else:
                self._say(f"trained for {task}: left out, it gains nothing that is sure")
        return best, models

    def evaluate(self, candidate: Path, *against: Path) -> Evaluation:
        """What is measured of a built release. Raises `LoopError`."""
        with step("evaluate"):
            self._say(f"evaluate {candidate.name}")
            found = evaluate(
                self._dataset,
                candidate,
                self._backend,
                against=against,
                settings=self._settings,
                say=self._say,
            )
            return found.evaluation

    def _build(self, name: str, models: Models) -> Path:
        with step("build"):
            folder = self._work / name
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed in the middle of it
            folder.mkdir(parents=True)
            self._say(f"build {name}")
            build(self._dataset, folder, models, self._backend, self._say)
            return folder


def gains(comparison: Comparison) -> bool:
    """Whether a headline is better for sure, and none worse for sure."""
    found = [
        each.estimate
        for each in comparison.differences
        if (each.task, each.metric) in HEADLINES and each.segment == "all"
    ]
    return any(each.low > 0 for each in found) and not any(each.high < 0 for each in found)
