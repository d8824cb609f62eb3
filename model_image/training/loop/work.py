"""The folder a run works in: it goes on from what is there where that was made of the same, else it begins anew."""

import dataclasses
import shutil
from hashlib import sha256
from pathlib import Path

import msgspec

from model_image.base import Base
from model_image.revisions import training_revision
from model_image.training.data import manifest, tablefile
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.settings import Settings
from model_image.training.train.settings import Settings as TrainSettings

MADE_OF = "made-of"
"""File with the digest of what the folder is made of."""


def claim(work: Path, made_of: str) -> bool:
    """Make the folder, empty unless it was claimed for the same `made_of`; whether something else was removed.

    Raises OSError.
    """
    note = work / MADE_OF
    if work.is_dir() and note.is_file() and note.read_text() == made_of:
        return False
    there = work.exists()
    if there:
        shutil.rmtree(work)
    work.mkdir(parents=True)
    note.write_text(made_of)
    return there


def made_of(settings: Settings, training: TrainSettings, names: Pseudonyms | None, base: Base) -> str:
    """All that prepared data and trained models depend on, in one digest: the tables' bytes, the settings, the key, the
    encoder to begin with and the code. Raises `InputError` and OSError."""
    said = {
        "inputs": manifest.inputs({table: tablefile.find(table, given) for table, given in settings.inputs.items()}),
        "prepare": settings.described(),
        "train": dataclasses.asdict(training),
        "key": manifest.key_mark(names),
        "base": base.revision,
        "code": training_revision(),
    }
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()
