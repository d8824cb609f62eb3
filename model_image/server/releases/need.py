"""How much memory a release on disk is going to take, from its files alone."""

from contextlib import suppress
from math import prod
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open

from model_image.artefact import Manifest
from model_image.layout import CATALOGUE, CROSS_ENCODER, ENCODER, TASKS
from model_image.server.releases.memory import Memory

WIDEST = 4.0
"""Bytes of a float32: no weight is served wider, and each tensor is read as one before it gets its final type."""

_MODELS = frozenset({ENCODER, CROSS_ENCODER, TASKS})
"""Where weights lie; other tensors of a release stay in memory as they are on the disk."""

_LINE = 24  # bytes of `Products` beside a line


class Served(NamedTuple):
    """How the models in service keep a number of their weights: in how many bytes, and whether on a GPU."""

    width: float = WIDEST
    on_device: bool = False


class Weights(NamedTuple):
    """Numbers in all model files of a release, and in the largest of their tensors."""

    numbers: int
    largest: int


def weights(folder: Path) -> Weights:
    """From the headers of the files below `folder`; a damaged one counts nothing, its loading tells what is wrong."""
    sizes = [0]
    for path in folder.rglob("*.safetensors"):
        if _of_model(path.relative_to(folder).as_posix()):
            with suppress(SafetensorError), safe_open(path, framework="numpy") as file:
                sizes += [prod(file.get_slice(name).get_shape()) for name in file.keys()]  # noqa: SIM118
    return Weights(sum(sizes), max(sizes))


def need(folder: Path, manifest: Manifest, served: Served) -> Memory:
    """Memory of the release in `folder`, with the peak of its loading. Raises `OSError`.

    Weights are not served as they are stored: a file in bfloat16 doubles on a CPU that computes in float32. So their
    numbers count, as wide as those in `served`. All else counts as on disk: vectors stay as they are, and once.
    """
    found = weights(folder)
    models = int(found.numbers * served.width)
    others = (path for path in manifest.files if not _of_model(path))
    rest = sum(manifest.files[path].size for path in others)
    host = rest + _LINE * _lines(folder / CATALOGUE) + int(WIDEST * found.largest)
    return Memory(host, models) if served.on_device else Memory(host + models)


def _of_model(path: str) -> bool:
    return path.endswith(".safetensors") and path.partition("/")[0] in _MODELS


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
