"""The current model's near misses: products it ranks high for a query, though not among the very first."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow

from model_image.embed import embed_texts
from model_image.index import VectorIndex
from model_image.settings import ModelError
from model_image.training.data.engine import Engine
from model_image.training.data.errors import InputError

_FIRST, _LAST = 10, 40
"""Ranks taken. Among the first few are products that fit and that nobody graded or bought: as negatives they would
teach the opposite."""
_QUERIES = 1024


def find(engine: Engine, model: Path, *, backend: str = "auto") -> None:
    """Make the table near: query, places (of products in the catalogue) from the encoder folder `model`.

    Takes about a minute for 5,000 products on 2 cores. Raises `InputError` for a folder that holds no encoder.
    """
    from model_image.server.backend import open_backend

    computing = open_backend(backend, threads=len(os.sched_getaffinity(0)))
    try:
        encoder = computing.load(model)
    except (ModelError, OSError) as error:
        raise InputError(f"{model}: no encoder ({error}); --model takes the folder encoder/ of a release") from error
    embed = partial(embed_texts, encoder, batch_tokens=computing.batch_tokens, workers=computing.workers)
    if encoder.settings.head != "embed":
        raise InputError(f"{model}: its head is {encoder.settings.head!r}, expected 'embed'")
    index = VectorIndex(embed([text for (text,) in engine.rows("SELECT text FROM texts ORDER BY place")]))
    engine.rows("CREATE TABLE near (query VARCHAR, places BIGINT[])")
    queries = [query for (query,) in engine.rows("SELECT DISTINCT query FROM positives ORDER BY query")]
    for chunk in _chunks(queries):
        places = [[row for row, _ in index.search(vector, _LAST)][_FIRST:] for vector in embed(chunk)]
        columns = {"query": pyarrow.array(chunk), "places": pyarrow.array(places, pyarrow.list_(pyarrow.int64()))}
        engine.add("near", pyarrow.table(columns))


def none(engine: Engine) -> None:
    """The table without rows, where no model is given."""
    engine.rows("CREATE TABLE near (query VARCHAR, places BIGINT[])")


def _chunks(queries: list[str]) -> Iterator[list[str]]:
    return (queries[start : start + _QUERIES] for start in range(0, len(queries), _QUERIES))
