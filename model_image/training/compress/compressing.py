"""Compress the models of a built release.

bf16 keeps the weights in two bytes for each number. int8 adds the steps by which a CPU computes matrix products in
8-bit integers (model_image/packed/int8.py). Vectors of products, rankers and probabilities were computed before, with
the weights as they were. Evaluate afterwards on a machine that computes as those that will serve: a GPU, and a CPU that
gains from bfloat16, do without the steps.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import torch

from model_image.embed import outputs_of
from model_image.index import VectorIndex, read_index
from model_image.layout import CROSS_ENCODER, ENCODER, TASKS
from model_image.packed import load_model, steps_for
from model_image.packed.checkpoint import read_config
from model_image.packed.int8 import write_steps
from model_image.packed.precision import gains_from_int8
from model_image.packed.shape import shape_of
from model_image.settings import INT8, WEIGHTS
from model_image.training.compress.agreement import Agreement, of_labels, of_numbers, of_rankings
from model_image.training.compress.asked import Asked, asked_of
from model_image.training.compress.errors import CompressError
from model_image.training.compress.halve import halve
from model_image.training.compress.methods import LEAST
from model_image.training.dataset import Dataset

_ROWS = 20_000
"""Of the catalogue that are ranked, evenly spaced: scores of 200 queries then take 32 MB."""


def compress(
    folder: Path,
    dataset: Dataset,
    methods: Collection[str],
    *,
    least: float = LEAST,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Agreement]:
    """Compress all models of the built release in `folder` by `methods`, or none of them; the agreement of each by its
    path.

    Models agree by at least `least` with what they were, on queries and products that the steps were not made from.
    Raises `CompressError` where one does not, or is in int8 already, `ModelError` for one that cannot be compressed,
    `DatasetError`, OSError.
    """
    for model in _models(folder):
        if (model / INT8).exists():
            raise CompressError(f"{model}: has {INT8}, expected a release as it was built; build it again")
        if "int8" in methods and shape_of(read_config(model), model) is None:
            raise CompressError(f"{model}: of a family that is not computed in int8; do without it")
    if "int8" in methods and not gains_from_int8(torch.device("cpu")):
        say("warning: this CPU gains nothing from int8, so an evaluation here will not measure it")
    index = read_index(folder)
    asked = asked_of(dataset, load_model(folder / ENCODER, dtype=torch.float32), index)
    found = {}
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        for model in _models(folder):
            path = model.relative_to(folder).as_posix()
            trial = Path(name) / path
            # Links, as other releases may have to the same files: none is written to.
            shutil.copytree(model, trial, copy_function=os.link)
            say(f"{path}: compress by {' and '.join(methods)}, some seconds for a small model")
            found[path] = _tried(model, trial, asked, methods, index)
            told = f"{path}: {' and '.join(methods)}, {found[path]}"
            say(told)
            if not found[path].value >= least:
                way_out = "do without --compress, or accept less with --agreement"
                raise CompressError(f"{told}; expected {least:g} at least: {way_out}")
        for path in found:
            for file in (WEIGHTS, INT8):
                if (Path(name) / path / file).exists():
                    os.replace(Path(name) / path / file, folder / path / file)
    return found


def _models(folder: Path) -> list[Path]:
    names = (folder / ENCODER, folder / CROSS_ENCODER, *sorted((folder / TASKS).glob("*")))
    return [path for path in names if path.is_dir()]


def _tried(model: Path, trial: Path, asked: Asked, methods: Collection[str], index: VectorIndex) -> Agreement:
    """Compress the copy `trial`, and compare it with `model`."""
    exact = load_model(model, dtype=torch.float32)
    if "bf16" in methods:
        halve(trial)
    if "int8" in methods:
        write_steps(trial, steps_for(trial, asked.learnt_from(exact)))
    sequences = asked.compared_by(exact)
    if not sequences:
        raise CompressError(f"{model}: nothing to compare by, expected two queries or products; do without --compress")
    before, after = (outputs_of(one, sequences) for one in (exact, load_model(trial, int8="int8" in methods)))
    if exact.settings.head == "classify":
        return of_labels(before, after)
    if exact.settings.head == "embed":
        rows = np.unique(np.linspace(0, len(index) - 1, _ROWS).astype(np.int64))
        products = index.vectors(rows).T
        return of_rankings(before @ products, after @ products, first=10)
    if exact.settings.head == "regress":
        return of_numbers(before[:, 0], after[:, 0])
    rankings = len(asked.near[1::2])
    return of_rankings(before.reshape(rankings, -1), after.reshape(rankings, -1), first=1)
