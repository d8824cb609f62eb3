"""What the first rank does: releases to compare, and of trained models those that gain."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_image.base import Base
from model_image.evaluation import Comparison, Evaluation
from model_image.server.backend import Backend
from model_image.training.build import Models, add_cross_encoder, build
from model_image.training.dataset import Dataset
from model_image.training.evaluate.evaluating import evaluate
from model_image.training.evaluate.questions import Settings
from model_image.training.evaluate.releases import name_of
from model_image.training.loop.errors import step
from model_image.training.loop.learn import Say

HEADLINES = frozenset({("search", "ndcg@10"), ("recommend", "ndcg@10")})
"""A trained model stays where one of these gains on all, with the whole interval, and none loses so."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The folder of a release that is not sealed, and its models."""

    folder: Path
    models: Models


class Chooser:
    """Builds candidates in `work` and measures them by `asked`, which is None where nothing can be asked; vectors of
    the baselines are kept there."""

    def __init__(
        self, dataset: Dataset, asked: Dataset | None, base: Base, backend: Backend, work: Path, say: Say
    ) -> None:
        self._base = base
        self._dataset = dataset
        self._asked = asked
        self._backend = backend
        self._work = work
        self._say = say
        self._settings = Settings(fold=dataset.prepared.hold_fold, cache=work / "vectors")

    def choose(self, trained: Mapping[str, Path]) -> list[Candidate]:
        """The best one first, then those that it was better than, for the gate may refuse it. Raises `LoopError`."""
        models = Models(
            base=self._base, tasks={task: trained[task] for task in ("classify", "regress") if task in trained}
        )
        best = Candidate(folder=self._built("plain", models), models=models)
        chosen = [best]
        for task, change in (("retrieve", "encoder"), ("rank", "cross_encoder")):
            if task not in trained:
                continue
            models = Models(**{**vars(best.models), change: trained[task]})
            folder = self._built(task, models) if task == "retrieve" else self._with_cross_encoder(best, trained[task])
            found = self.evaluate(folder, best.folder)
            comparison = found and found.compared_with(name_of(best.folder))
            if comparison and gains(comparison):
                self._say(f"trained for {task}: stays")
                best = Candidate(folder=folder, models=models)
                chosen.insert(0, best)
            else:
                self._say(f"trained for {task}: left out, it gains nothing that is sure")
                shutil.rmtree(folder)
        return chosen

    def evaluate(self, candidate: Path, *against: Path) -> Evaluation | None:
        """What is measured of a built release; None where nothing can be. Raises `LoopError`."""
        if self._asked is None:
            return None
        with step("evaluate"):
            self._say(f"evaluate {candidate.name}")
            found = evaluate(
                self._asked,
                candidate,
                self._base,
                self._backend,
                against=against,
                settings=self._settings,
                say=self._say,
            )
            return found.evaluation

    def _built(self, name: str, models: Models) -> Path:
        with step("build"):
            folder = self._new(name)
            folder.mkdir(parents=True)
            self._say(f"build {name}")
            build(self._dataset, folder, models, self._backend, self._say)
            return folder

    def _with_cross_encoder(self, best: Candidate, model: Path) -> Path:
        with step("build"):
            folder = self._new("rank")
            self._say(f"build rank, as {best.folder.name} with a cross-encoder")
            add_cross_encoder(best.folder, folder, model)
            return folder

    def _new(self, name: str) -> Path:
        folder = self._work / f"release-{name}"  # trained models have the names of tasks
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed in the middle of it
        return folder


def gains(comparison: Comparison) -> bool:
    """Whether a headline is better for sure, and none worse for sure."""
    found = [
        each.estimate
        for each in comparison.differences
        if (each.task, each.metric) in HEADLINES and each.segment == "all"
    ]
    return any(each.low > 0 for each in found) and not any(each.high < 0 for each in found)
