"""The folder a run leaves: a model as the server loads it, the log, and training.json, which says how it came about."""

import importlib.metadata
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from model_image.base import TRAINING
from model_image.settings import ModelSettings, write_settings
from model_image.tensor_files import disk_told
from model_image.training.disk import sync, sync_all
from model_image.training.train.base import copy_tokenizer
from model_image.training.train.errors import TrainError, TrainInputError
from model_image.training.train.journal import LOG

_LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "numpy")


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """`training.json`. `made_of` is everything that decides the weights: task, settings, data, base model,
    number of ranks, what they compute in and on, and the versions of the libraries.

    `best` is `metric` over the validation's examples at `best_step`, whose weights these are; None without any such
    example. `first` is the same before the first step. `seconds` are of the last start of the run alone.
    """

    made_of: dict[str, str]
    metric: str
    first: float | None
    best: float | None
    best_step: int
    steps: int
    train_examples: int
    valid_examples: int
    seconds: float
    ranks: int
    versions: dict[str, str]


def work_folder(output: Path) -> Path:
    """Where a run works until its output is whole."""
    return output.with_name(f"{output.name}.run")


def begin(output: Path, made_of: Mapping[str, str], *, resume: bool) -> Training | None:
    """Make the work folder; with `resume`, a run that is done already is given back instead.

    Raises `TrainInputError` where something is in the way.
    """
    work = work_folder(output)
    if output.exists():
        if not resume:
            raise TrainInputError(f"--output {output}: exists; choose another name, or remove it")
        done = read_training(output)
        for key in sorted(done.made_of.keys() | made_of.keys()):
            if done.made_of.get(key) != made_of.get(key):
                there, here = done.made_of.get(key), made_of.get(key)
                raise TrainInputError(
                    f"--output {output}: is done, with {key} {there}, not {here}; choose another name"
                )
        return done
    if work.exists() and not resume:
        raise TrainInputError(f"--output {output}: a run is in {work}; go on with --resume, or remove it")
    work.mkdir(parents=True, exist_ok=True)
    return None


def read_training(folder: Path) -> Training:
    """Raises `TrainInputError`."""
    try:
        return msgspec.json.decode((folder / TRAINING).read_bytes(), type=Training)
    except (OSError, msgspec.MsgspecError) as error:
        raise TrainInputError(f"--output {folder}: no finished training ({error}); choose another name") from error


def finish(model: Any, settings: ModelSettings, base: Path, output: Path, training: Training) -> None:
    """Write everything beside `output`, then rename it there and remove the work folder with its
    checkpoints, each when the disk has what was before. Raises `TrainError`."""
    work = work_folder(output)
    folder = work / "done"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
        with disk_told(folder):
            model.save_pretrained(folder)
        copy_tokenizer(base, folder)
        write_settings(folder, settings)
        shutil.copyfile(work / LOG, folder / LOG)
        (folder / TRAINING).write_bytes(msgspec.json.format(msgspec.json.encode(training), indent=1) + b"\n")
        sync_all(folder)
        os.rename(folder, output)
        sync(output.parent)
    except OSError as error:
        raise TrainError(f"{output}: cannot be written ({error}); make room, then --resume") from error
    shutil.rmtree(work, ignore_errors=True)


def versions() -> dict[str, str]:
    """Of the packages that may change numbers."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}
