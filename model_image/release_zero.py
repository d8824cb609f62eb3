"""Release 0: an encoder as it is and the index of a catalogue, the first thing a new shop can serve."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from model_image import artefact
from model_image.artefact import Manifest
from model_image.base import Base
from model_image.catalogue import Product, read_catalogue
from model_image.embed import Embed
from model_image.index import write_index
from model_image.layout import CATALOGUE, ENCODER
from model_image.products import product_text
from model_image.revisions import inputs
from model_image.tables import TableError

_BATCHES = 8  # for each worker between two calls of `progress`: with fewer, most wait for the last ones
_TOKENS = 20  # of a product, about

Progress = Callable[[int, int], None]
"""Called with products embedded and products in all."""


def build(
    catalogue: Path,
    folder: Path,
    base: Base,
    *,
    model: str = "search",
    renamed: Mapping[str, str] | None = None,
    note: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Build and seal release 0 in the empty `folder`. Bad rows raise `TableError` before the long work starts, a
    catalogue that changes meanwhile after it.

    About 50 to 150 products per second on 2 cores.
    """
    revisions = inputs(catalogue, base, renamed=renamed)
    with closing(read_catalogue(catalogue, renamed=renamed, note=note)) as products:
        count = write_catalogue(folder, products)
    base.copy(folder / ENCODER)

    from model_image.embed import embed_texts
    from model_image.server.backend import open_backend

    backend = open_backend("auto", threads=len(os.sched_getaffinity(0)))
    encoder = backend.load(folder / ENCODER)  # torch: seconds to import, and not needed to refuse a bad row
    embed = partial(embed_texts, encoder, batch_tokens=backend.batch_tokens, workers=backend.workers)
    chunk = _BATCHES * backend.workers * backend.batch_tokens // _TOKENS
    with closing(read_catalogue(catalogue, renamed=renamed)) as products:
        write_vectors(folder, embed, products, count, progress, chunk=chunk)
    if inputs(catalogue, base, renamed=renamed) != revisions:  # vectors and products may be of other rows
        raise TableError(
            catalogue, "", "a file that stays as it is during the build; start again, on a copy if need be"
        )
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


def write_vectors(
    folder: Path,
    embed: Embed,
    products: Iterable[Product],
    count: int,
    progress: Progress | None = None,
    *,
    chunk: int = 1024,
) -> None:
    """Embed `count` products, `chunk` between two calls of `progress`, and write the index in their order."""
    parts: list[np.ndarray] = []
    done = 0
    for texts in _chunks((embedded_text(product) for product in products), chunk):
        parts.append(embed(texts).astype(np.float16))
        done += len(texts)
        if progress:
            progress(done, count)
    if done != count:
        raise TableError(folder / CATALOGUE, "", f"{done} products as read the second time; let nobody write the file")
    write_index(folder, np.concatenate(parts))


def _chunks(texts: Iterator[str], most: int) -> Iterator[list[str]]:
    while chunk := list(islice(texts, most)):
        yield chunk
