"""The models of a release that classify or regress, on texts that training did not learn from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from model_image.embed import outputs_of
from model_image.evaluation import Estimate, Measure
from model_image.layout import TASKS
from model_image.server.backend import Backend
from model_image.settings import read_settings
from model_image.training.data.sql import parquet
from model_image.training.dataset import Dataset
from model_image.training.evaluate import tables
from model_image.training.evaluate.baselines_tasks import task_baselines
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.predictions import labels_apart, numbers_apart, of_labels, of_numbers
from model_image.training.evaluate.protocol import ALL

_COLUMNS = {"classify": "label", "regress": "value"}

_MOST_TEXTS = {"train": 50_000, "test": 10_000}
"""Read of each split: a baseline learns them in a minute, and 1,000 labels take a quarter of a gigabyte."""


class TaskResult(NamedTuple):
    """What was said of the test's texts, each of which is a unit: by each system's name, the candidate's first."""

    head: str
    task: str
    truth: Sequence[Any]
    said: Mapping[str, Sequence[Any]]

    def measures(self) -> Iterator[Measure]:
        """accuracy, precision, recall and f1 of the candidate, or its mae. Raises `MeasureError` for one label."""
        measure = of_numbers if self.head == "regress" else of_labels
        yield from self._told(measure(self.truth, *self._candidate))

    def differences(self, other: str) -> Iterator[Measure]:
        """The candidate minus `other`, paired."""
        apart = numbers_apart if self.head == "regress" else labels_apart
        candidate, units = self._candidate
        yield from self._told(apart(self.truth, candidate, self.said[other], units))

    @property
    def _candidate(self) -> tuple[Sequence[Any], list[str]]:
        return next(iter(self.said.values())), [str(at) for at in range(len(self.truth))]

    def _told(self, found: Mapping[str, Estimate]) -> Iterator[Measure]:
        for metric, estimate in found.items():
            yield Measure(
                task=self.task,
                metric=metric,
                segment=ALL,
                better="lower" if metric == "mae" else "higher",
                guarded=False,
                estimate=estimate,
            )


def task_results(
    releases: Mapping[str, Path], dataset: Dataset, backend: Backend, say: Callable[[str], None] = lambda text: None
) -> list[TaskResult]:
    """Of every model of the first release, with what the models of that name in the other releases and the baselines
    say.

    Models that the dataset has no examples of are passed over, and with a word those that it has too few texts for. A
    label that was in no example to learn from counts as never found. Raises `MeasureError` for others that the
    candidate does not know.
    """
    (name, candidate), *others = releases.items()
    found = []
    for path in sorted(path for path in (candidate / TASKS).glob("*") if path.is_dir()):
        settings = read_settings(path)
        head = settings.head
        if head not in _COLUMNS or not dataset.has(f"examples/{head}.parquet"):
            continue
        texts, truth = _examples(dataset, head, "test")
        if not texts or (head == "classify" and len(set(truth)) < 2):
            rule = "expected two labels" if texts else "expected one text"
            say(f"{path.name} is not measured: {len(texts)} texts to test, {rule} at least; prepare again with more")
            continue
        learnt = _examples(dataset, head, "train")
        if unknown := sorted({*(learnt[1] or truth)} - {*settings.labels}) if head == "classify" else []:
            known = ", ".join(settings.labels[:10])
            raise MeasureError(f"{path.name}: label {unknown[0]!r}, expected one of {known}; train on this data")
        folders = {name: path} | {other: folder / TASKS / path.name for other, folder in others}
        said = {
            other: _said(there, texts, backend)
            for other, there in folders.items()
            if there.is_dir() and read_settings(there).head == head
        }
        if learnt[0]:
            said |= task_baselines(head, *learnt, texts)
        found.append(TaskResult(head, f"{head}:{path.name}", truth, said))
    return found


def _said(folder: Path, texts: Sequence[str], backend: Backend) -> list[Any]:
    """The label or the number of each text."""
    model = backend.load(folder)
    try:
        sequences = [model.single(tokens) for tokens in model.tokenize(texts)]
        outputs = outputs_of(model, sequences, batch_tokens=backend.batch_tokens)
    finally:
        model.close()
    if model.settings.head == "regress":
        return [float(value) for value in outputs[:, 0]]
    return [model.settings.labels[at] for at in outputs.argmax(axis=1)]


def _examples(dataset: Dataset, head: str, split: str) -> tuple[list[str], list[Any]]:
    source = parquet(dataset.examples(head))
    order = f"ORDER BY md5(text), text, 2 LIMIT {_MOST_TEXTS[split]}"  # of more than that a sample, the same every time
    rows = tables.query(dataset, f"SELECT text, {_COLUMNS[head]} FROM {source} WHERE split = $1 {order}", [split])
    return [text for text, _ in rows], [value for _, value in rows]
