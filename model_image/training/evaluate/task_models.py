"""The models of a release that classify or regress, on the texts that training put aside."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_image.evaluation import Estimate, Measure
from model_image.layout import TASKS
from model_image.sequences import even_batches
from model_image.server.backend import Backend, LoadedModel
from model_image.training.dataset import Dataset
from model_image.training.evaluate import tables
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.predictions import of_labels, of_numbers
from model_image.training.evaluate.protocol import ALL

_COLUMNS = {"classify": "label", "regress": "value"}


def task_measures(folder: Path, dataset: Dataset, backend: Backend) -> Iterator[Measure]:
    """accuracy, precision, recall and f1 of each model that classifies, mae of each that regresses.

    Models that the dataset has no examples of are passed over. Each text is a unit. Raises `MeasureError` for labels
    that a model does not know, for a column of one label, and where no text was put aside.
    """
    for path in sorted(path for path in (folder / TASKS).glob("*") if path.is_dir()):
        model = backend.load(path)
        head = model.settings.head
        if head in _COLUMNS and dataset.has(f"examples/{head}.parquet"):
            for metric, estimate in _measured(model, path.name, *_examples(dataset, head), backend).items():
                yield Measure(
                    task=f"{head}:{path.name}",
                    metric=metric,
                    segment=ALL,
                    better="lower" if metric == "mae" else "higher",
                    guarded=False,
                    estimate=estimate,
                )
        model.close()


def _measured(
    model: LoadedModel, name: str, texts: Sequence[str], truth: Sequence[Any], backend: Backend
) -> dict[str, Estimate]:
    outputs = _outputs(model, texts, backend.batch_tokens)
    units = [str(at) for at in range(len(texts))]
    if model.settings.head == "regress":
        return of_numbers([float(value) for value in truth], outputs[:, 0].tolist(), units)
    labels = model.settings.labels
    if unknown := sorted(set(truth) - set(labels)):
        raise MeasureError(
            f"{name}: label {unknown[0]!r}, expected one of {', '.join(labels[:10])}; train on this data"
        )
    return of_labels(truth, [labels[at] for at in outputs.argmax(axis=1)], units)


def _examples(dataset: Dataset, head: str) -> tuple[list[str], list[Any]]:
    source = tables.parquet(dataset.examples(head))
    rows = tables.query(dataset, f"SELECT text, {_COLUMNS[head]} FROM {source} WHERE split = 'valid' ORDER BY ALL")
    if not rows:
        raise MeasureError(
            f"{dataset.examples(head)}: no text of the split 'valid', expected one at least; prepare with more texts"
        )
    return [text for text, _ in rows], [value for _, value in rows]


def _outputs(model: LoadedModel, texts: Sequence[str], batch_tokens: int) -> np.ndarray:
    """float32 [texts, outputs] in the order of the texts."""
    sequences = [model.single(tokens) for tokens in model.tokenize(texts)]
    found = np.empty((len(texts), model.settings.outputs), dtype=np.float32)
    for rows in even_batches([len(sequence.ids) for sequence in sequences], batch_tokens):
        found[rows] = model.run([sequences[at] for at in rows])
    return found
