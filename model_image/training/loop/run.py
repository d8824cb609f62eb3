"""One run of the loop, from the words of the environment to the digest on trial."""

import argparse
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_image.registry import Registry, open_registry
from model_image.server.backend import open_backend
from model_image.training.build import refresh, seal
from model_image.training.cli_prepare import columns
from model_image.training.data.settings import utc
from model_image.training.loop.choose import Chooser
from model_image.training.loop.errors import step
from model_image.training.loop.files import find_tables
from model_image.training.loop.learn import Learning, Say, learn
from model_image.training.loop.release import put_on_trial, stable_of
from model_image.training.train.ranks import open_ranks
from model_image.training.train.settings import read_settings
from model_image.words import required


@dataclass(frozen=True, kw_only=True)
class Run:
    """`work` is a folder of this run alone: what is there is taken for its own."""

    registry: Registry
    learning: Learning
    work: Path
    model: str
    percent: int
    promote: bool

    def all(self, say: Say) -> str | None:
        """The digest that went on trial; None where none did, and on all ranks but the first. Raises `LoopError`."""
        with step("torchrun"), open_ranks(os.environ) as ranks:
            dataset, trained = learn(self.learning, self.work, ranks, say)
        if not ranks.first:
            return None
        with step("backend"):
            backend = open_backend("auto", threads=len(os.sched_getaffinity(0)))
        channel, stable = stable_of(self.registry, self.model, self.work, say)
        chooser = Chooser(dataset, backend, self.work, say)
        folder, models = chooser.choose(trained)
        evaluation = chooser.evaluate(folder, *([stable] if stable else []))

        def sealed() -> str:
            refresh(folder, dataset)
            return seal(folder, dataset, models, model=self.model, evaluation=evaluation).digest

        digest = put_on_trial(
            self.registry,
            channel,
            folder,
            evaluation,
            percent=self.percent,
            promote=self.promote,
            seal=sealed,
            say=say,
        )
        shutil.rmtree(self.work)
        return digest


def read_run(words: Mapping[str, str], options: argparse.Namespace) -> Run:
    """Everything checked that needs no work. Raises `ConfigError`, `InputError`, `InputFilesError`, `RegistryError` or
    `TrainInputError`."""
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
        work=Path(required(words, "TRAINING_DATA", "expected a folder to work in")) / "run",
        model=options.model,
        percent=options.percent,
        promote=options.promote,
    )
