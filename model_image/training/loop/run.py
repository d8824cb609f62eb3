"""One run of the loop, from the words of the environment to the digest on trial."""

import argparse
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_image.base import Base
from model_image.channel import MOST_PERCENT
from model_image.evaluation import Evaluation
from model_image.registry import Registry, check_model, open_registry
from model_image.server.backend import open_backend
from model_image.training.build import refresh, seal
from model_image.training.cli_prepare import columns
from model_image.training.compress.compressing import compress
from model_image.training.compress.errors import CompressError
from model_image.training.compress.methods import LEAST
from model_image.training.data.errors import InputError
from model_image.training.data.settings import utc
from model_image.training.dataset import Dataset
from model_image.training.loop.begin import begin_with
from model_image.training.loop.choose import Candidate, Chooser
from model_image.training.loop.errors import step
from model_image.training.loop.files import find_tables
from model_image.training.loop.first import by_the_first
from model_image.training.loop.learn import Learning, Say, prepared, trained
from model_image.training.loop.measurable import measurable, refuse_unmeasured
from model_image.training.loop.release import Offer, Serving, Terms, put_on_trial, stable_of
from model_image.training.train.ranks import open_ranks
from model_image.training.train.settings import read_settings
from model_image.words import required


@dataclass(frozen=True, kw_only=True)
class Run:
    """`work` is a folder of this run alone: what is there is taken for its own. `base` is as `begin_with` has it,
    `methods` and `agreement` as `compress` has them."""

    registry: Registry
    learning: Learning
    work: Path
    model: str
    base: str | None
    terms: Terms
    methods: Sequence[str] = ()
    agreement: float = LEAST

    def all(self, say: Say) -> str | None:
        """The digest that went on trial; None where none did, and on all ranks but the first. Raises `LoopError`."""
        settings = self.learning.settings
        with step("torchrun"), open_ranks(os.environ, settings.device) as ranks:
            base = begin_with(self.base, self.registry, self.model, self._releases, ranks)
            dataset = prepared(self.learning, base, self._run, ranks, say)
            with step("evaluate"):  # before hours of work that nothing could come of
                asked = measurable(dataset, say)
                refuse_unmeasured(asked, self.registry.channel(self.model))
            models = trained(self.learning, dataset, base, self._run, ranks, say)
            digest = by_the_first(ranks, lambda: self._on_trial(dataset, asked, base, models, say))
            if ranks.local == 0:  # once on every machine
                shutil.rmtree(self._run)
                shutil.rmtree(self._releases, ignore_errors=True)
            return digest

    @property
    def _run(self) -> Path:
        return self.work / "run"

    @property
    def _releases(self) -> Path:
        return self.work / "releases"

    def _on_trial(
        self, dataset: Dataset, asked: Dataset | None, base: Base, trained: Mapping[str, Path], say: Say
    ) -> str | None:
        with step("backend"):
            backend = open_backend("auto", threads=len(os.sched_getaffinity(0)))
        serving = stable_of(self.registry, self.model, self._releases, say)
        with step("evaluate"):  # again: another release may have become the first stable one meanwhile
            refuse_unmeasured(asked, serving.channel)
        if asked is None:
            say("published without being measured: the tables allow no question, and nothing serves yet")
        chooser = Chooser(dataset, asked, base, backend, self._run, say)
        offers = [self._offer(candidate, chooser, serving, dataset, say) for candidate in chooser.choose(trained)]
        return put_on_trial(self.registry, serving, offers, self.terms, say)

    def _offer(self, candidate: Candidate, chooser: Chooser, serving: Serving, dataset: Dataset, say: Say) -> Offer:
        folder, against = candidate.folder, [serving.folder] if serving.folder else []

        def evaluated() -> Evaluation | None:
            self._compress(folder, dataset, say)
            return chooser.evaluate(folder, *against)

        def sealed(evaluation: Evaluation | None) -> str:
            refresh(folder, dataset)
            return seal(folder, dataset, candidate.models, model=self.model, evaluation=evaluation).digest

        return Offer(folder=folder, evaluate=evaluated, seal=sealed)

    def _compress(self, folder: Path, dataset: Dataset, say: Say) -> None:
        """Before it is measured. A release whose rankings do not allow it goes on as it is: that is no failed run."""
        if not self.methods:
            return
        with step("compress"):
            try:
                compress(folder, dataset, self.methods, least=self.agreement, say=say)
            except CompressError as error:
                say(f"not compressed: {error}")


def read_run(words: Mapping[str, str], options: argparse.Namespace) -> Run:
    """Everything checked that needs no work. Raises `ConfigError`, `InputError`, `InputFilesError`, `RegistryError` or
    `TrainInputError`."""
    check_model(options.model)
    if not 1 <= options.percent <= MOST_PERCENT:
        raise InputError(f"--percent: {options.percent}, expected 1 to {MOST_PERCENT}; --promote is for all users")
    if not 0 < options.latency_budget < math.inf:
        raise InputError(f"--latency-budget: {options.latency_budget}, expected a number above 0 such as 1.2")
    registry = open_registry(required(words, "TRAINING_REGISTRY", "expected s3://<bucket> or an existing folder"))
    learning = Learning(
        tables=find_tables(Path(required(words, "TRAINING_INPUT", "expected a folder with the shop's tables"))),
        columns=columns(options.column),
        key=Path(words["TRAINING_KEY"]) if words.get("TRAINING_KEY") else None,
        cut=utc(options.cut) if options.cut else None,
        hold_fold=options.hold_fold,
        tune=list(dict.fromkeys(options.tune)),
        settings=read_settings(options.preset, options.set),
    )
    return Run(
        registry=registry,
        learning=learning,
        work=Path(required(words, "TRAINING_DATA", "expected a folder to work in")),
        model=options.model,
        base=options.base,
        methods=list(dict.fromkeys(options.compress)),
        agreement=options.agreement,
        terms=Terms(percent=options.percent, promote=options.promote, budget=options.latency_budget),
    )
