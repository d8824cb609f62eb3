"""What a dataset allows to be asked, with the baselines of each question."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from model_image.embed import Embed
from model_image.signals.calibration import EVENTS as EVENTS_OF
from model_image.training.dataset import EVENTS, JUDGMENTS, Dataset
from model_image.training.evaluate import tables
from model_image.training.evaluate.baselines_purchases import purchase_baselines
from model_image.training.evaluate.baselines_search import search_baselines
from model_image.training.evaluate.chances import FOLDS, SHOWN
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.protocol import System, Task
from model_image.training.evaluate.purchase_task import HORIZON_DAYS, purchase_task
from model_image.training.evaluate.search_task import search_task
from model_image.training.evaluate.vectors import kept_vectors


@dataclass(frozen=True, kw_only=True)
class Question:
    """A task, its baselines by name, and how its scores become probabilities: of `event`, over `folds` by unit, of the
    `most` best products or of all; there is no calibration without an event."""

    task: Task[Any]
    baselines: Mapping[str, System[Any]]
    side: str
    event: str = ""
    folds: Mapping[str, int] | None = None
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`fold` limits search to the queries of one fold, by default to those that the dataset held out; `horizon_days` is
    how late the basket may come, `cache` keeps the baseline's vectors."""

    fold: int | None = None
    horizon_days: int = HORIZON_DAYS
    cache: Path | None = None


def questions(dataset: Dataset, embed: Embed, kind: str, settings: Settings) -> Iterator[Question]:
    """Searching and reranking where there are judgments, recommending where there are events and a cut.

    `embed` is the zero-shot baseline, `kind` its weights and backend. Raises `MeasureError` where nothing can be asked.
    """
    fold = asked_fold(dataset, settings)
    searches, purchases = dataset.has(JUDGMENTS), _buys(dataset)
    if not askable(dataset):
        raise MeasureError(
            f"{dataset.folder}: neither judgments nor events with a cut, expected one of them; prepare with more tables"
        )
    catalogue = tables.read_catalogue(dataset)
    vectors = kept_vectors(embed, catalogue.texts, settings.cache, kind)
    if searches:
        baselines = search_baselines(catalogue, embed, vectors)
        yield Question(task=search_task(dataset, whole_catalogue=True, fold=fold), baselines=baselines, side="search")
        reranking = search_task(dataset, whole_catalogue=False, fold=fold)
        yield Question(
            task=reranking,
            baselines=baselines,
            side="search",
            event=EVENTS_OF["search"],
            folds=_folds(reranking.truth),
        )
    if purchases:
        task = purchase_task(dataset, horizon_days=settings.horizon_days)
        yield Question(
            task=task,
            baselines=purchase_baselines(dataset, catalogue.ids, vectors),
            side="recommend",
            event=EVENTS_OF["recommend"],
            folds={user: int(user[8:16], 16) % FOLDS for user in task.truth},
            most=SHOWN,
        )


def askable(dataset: Dataset) -> bool:
    """Whether there is a question to ask at all."""
    return dataset.has(JUDGMENTS) or _buys(dataset)


def _buys(dataset: Dataset) -> bool:
    return dataset.has(EVENTS) and dataset.prepared.cut is not None


def asked_fold(dataset: Dataset, settings: Settings) -> int | None:
    """The fold whose queries are asked; None is all."""
    return dataset.prepared.hold_fold if settings.fold is None else settings.fold


def _folds(queries: Iterable[str]) -> dict[str, int]:
    """By the hash of their names: the folds of the dataset are one where that is asked alone."""
    return {query: crc32(query.encode()) % FOLDS for query in queries}
