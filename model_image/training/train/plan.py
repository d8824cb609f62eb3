"""What is known of a run before its model is loaded: examples, task, number of steps, and what it is made of."""

import dataclasses
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from model_image.base import digest
from model_image.settings import Pooling
from model_image.tables import TableError
from model_image.training.dataset import Dataset, DatasetError
from model_image.training.train.examples import Example, Examples
from model_image.training.train.inputs import precision
from model_image.training.train.labels import Classify, Regress
from model_image.training.train.rank import Rank
from model_image.training.train.ranks import Ranks
from model_image.training.train.result import versions
from model_image.training.train.retrieve import Retrieve
from model_image.training.train.settings import Settings
from model_image.training.train.tasks import Task


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: the `task` of a dataset's examples, from the model in the folder `base`, which pools so,
    to the folder `output`."""

    task: str
    dataset: Dataset
    base: Path
    output: Path
    settings: Settings
    resume: bool = False
    pooling: Pooling = "mean"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`steps` in all, `per_epoch` of them in one pass; `made_of` is all that decides the weights."""

    task: Task
    examples: Examples
    train_examples: int
    valid: list[Example]
    per_epoch: int
    steps: int
    made_of: dict[str, str]

    def batches(self, settings: Settings, done: int) -> Iterator[list[Example]]:
        """The batches of the steps behind `done`, without end: they are functions of the seed and the step."""
        first, inside = divmod(done, self.per_epoch)
        for epoch in count(first):
            batches = self.examples.epoch(settings.seed, epoch, settings.batch, settings.window)
            yield from islice(batches, inside if epoch == first else 0, None)


def open_plan(job: Job, ranks: Ranks) -> Plan:
    """Read through the numbers and labels of the examples, not the texts. Raises `TableError`, `DatasetError`."""
    path, settings = job.dataset.examples(job.task), job.settings
    found = _sha256(path)
    if found != job.dataset.prepared.files[f"examples/{job.task}.parquet"]:
        raise DatasetError(f"{path}: sha256 is {found}, not that of its manifest; prepare the data again")
    examples = Examples(path, job.task)
    train_examples = examples.count("train")
    if not train_examples:
        rule = "an example of split train, or there is nothing to learn; prepare data with more judgments or events"
        raise TableError(path, "", rule)
    per_epoch = math.ceil(train_examples / settings.batch)
    return Plan(
        task=open_task(job.task, examples, settings, ranks),
        examples=examples,
        train_examples=train_examples,
        valid=examples.sample("valid", settings.valid_most),
        per_epoch=per_epoch,
        steps=min(settings.steps or settings.epochs * per_epoch, settings.epochs * per_epoch),
        made_of={
            "task": job.task,
            "data": job.dataset.prepared.revision,
            "examples": f"sha256-{found}",
            "base": digest(job.base),
            "pooling": job.pooling,
            "ranks": str(ranks.world),
            "computed": f"{str(precision(settings, ranks.device)).removeprefix('torch.')} on {ranks.device.type}",
            **{f"version of {name}": version for name, version in versions().items()},
            **{name: str(value) for name, value in dataclasses.asdict(settings).items()},
        },
    )


def open_task(name: str, examples: Examples, settings: Settings, ranks: Ranks) -> Task:
    """Raises `TableError` for examples that the task cannot learn from."""
    if name == "retrieve":
        return Retrieve(examples, settings, ranks)
    kinds: dict[str, type[Rank] | type[Classify] | type[Regress]] = {
        "rank": Rank,
        "classify": Classify,
        "regress": Regress,
    }
    return kinds[name](examples, settings)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: {error}; prepare the data again") from error
