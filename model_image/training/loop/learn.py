"""What all ranks do: the same prepared data on every machine, and the training of what was asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from model_image.base import Base
from model_image.training.data.prepare import prepare
from model_image.training.data.pseudonyms import read_key
from model_image.training.data.settings import Settings
from model_image.training.dataset import PREPARED, Dataset
from model_image.training.loop.errors import step
from model_image.training.loop.work import claim, made_of
from model_image.training.train.plan import Job
from model_image.training.train.ranks import Ranks
from model_image.training.train.settings import Settings as TrainSettings
from model_image.training.train.train import train

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Learning:
    """`tables` maps tables of `training.data` to files, `columns` their columns as `scripts/prepare` takes them; `tune`
    are tasks to train for."""

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]
    key: Path | None
    cut: datetime | None
    hold_fold: int
    tune: Sequence[str]
    settings: TrainSettings


def prepared(asked: Learning, base: Base, work: Path, ranks: Ranks, say: Say) -> Dataset:
    """The prepared data in `work`: what is there where it was made of the same, and else all is made anew.

    Raises `LoopError`.
    """
    # A time of its own would give every machine other data.
    now = datetime.fromtimestamp(ranks.agree(datetime.now(UTC).timestamp()), UTC).replace(tzinfo=None)
    target = work / "prepared"
    with step("prepare"):
        if ranks.local == 0:
            _prepare(asked, base, target, now, say)
        ranks.sum([torch.zeros(1, device=ranks.device)])  # nobody reads before the last has prepared
        return Dataset(target)


def _prepare(asked: Learning, base: Base, target: Path, now: datetime, say: Say) -> None:
    # Graded queries of one fold teach nothing: they are what the release is measured by.
    settings = Settings(
        inputs=asked.tables,
        columns=asked.columns,
        target=target,
        now=now,
        cut=asked.cut,
        hold_fold=asked.hold_fold if "judgments" in asked.tables else None,
    )
    names = read_key(asked.key) if asked.key else None
    if claim(target.parent, made_of(settings, asked.settings, names, base)):
        say("another encoder to begin with, other tables, settings or code than those of the run before: begin anew")
    if not (target / PREPARED).exists():
        say("prepare")
        prepare(settings, names, say)


def trained(asked: Learning, dataset: Dataset, base: Base, work: Path, ranks: Ranks, say: Say) -> dict[str, Path]:
    """The models trained from `base` by task, in `work`; what is there is kept, or gone on with. Raises `LoopError`."""
    return {task: _trained(task, dataset, base, asked.settings, work / task, ranks, say) for task in asked.tune}


def _trained(
    task: str, dataset: Dataset, base: Base, settings: TrainSettings, output: Path, ranks: Ranks, say: Say
) -> Path:
    with step(f"train {task}"):
        say(f"train for {task}")
        job = Job(
            task=task,
            dataset=dataset,
            base=base.folder,
            pooling=base.settings.pooling,
            output=output,
            settings=settings,
            resume=True,
        )
        found = train(job, ranks)
        best = "" if found.best is None else f", {found.metric} {found.best:.4f}, before {found.first:.4f}"
        say(f"trained for {task} in {found.seconds:.0f} s{best}")
    return output
