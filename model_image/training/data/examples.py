"""examples/<task>.parquet from what may be learnt; columns and their meaning are in `dataset.EXAMPLES`."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

from model_image.training.data import near, positives
from model_image.training.data.engine import Engine, write_parquet
from model_image.training.data.negatives import Negatives
from model_image.training.data.settings import Settings

_TEXT, _NUMBER = pyarrow.string(), pyarrow.float64()
RANK = pyarrow.schema(
    [("query", _TEXT), ("text", _TEXT), ("wished", _NUMBER), ("group", pyarrow.int64()), ("split", _TEXT)]
)
RETRIEVE = pyarrow.schema(
    [("query", _TEXT), ("text", _TEXT), ("negatives", pyarrow.list_(_TEXT)), ("weight", _NUMBER), ("split", _TEXT)]
)
_ROWS = 1 << 14

Positive = tuple[str, str, str, str, int, list[int] | None]
"""query, text, category, split, times, places of near misses"""


def write_rank(engine: Engine, path: Path) -> int:
    """Returns the rows."""
    return engine.write(positives.rank(engine), path, RANK)


def write_retrieve(engine: Engine, path: Path, settings: Settings) -> int:
    """Returns the rows, 0 and no file where nothing belongs together."""
    total = positives.find(engine, settings)
    if not total:
        return 0
    near.none(engine) if settings.model is None else near.find(engine, settings.model)
    negatives = _negatives(engine, settings)
    found = "(SELECT * FROM positives LEFT JOIN near USING (query))"
    batches = engine.ordered("query, text, category, split, times, places", found, "query, text, split, category")
    rows = chain.from_iterable(zip(*(column.to_pylist() for column in batch.columns), strict=True) for batch in batches)
    return write_parquet(path, RETRIEVE, _packed(_retrieve(rows, negatives, total)))


def _retrieve(rows: Iterator[Any], negatives: Negatives, total: int) -> Iterator[dict[str, Any]]:
    for query, group in groupby(rows, key=itemgetter(0)):
        found: list[Positive] = list(group)
        near_misses = found[0][5] or ()
        drawn = negatives.of_query(query, [(text, category) for _, text, category, *_ in found], near_misses)
        for (_, text, _, split, times, _), others in zip(found, drawn, strict=True):
            yield {"query": query, "text": text, "negatives": others, "weight": times / total, "split": split}


def _negatives(engine: Engine, settings: Settings) -> Negatives:
    products = engine.rows(
        "SELECT text, category, coalesce(users, 0) FROM texts LEFT JOIN popular USING (product_id) ORDER BY place"
    )
    relevant: dict[str, set[str]] = defaultdict(set)
    irrelevant: dict[str, list[str]] = defaultdict(list)
    for query, text, grade in engine.rows(
        "SELECT query, text, grade FROM graded JOIN asked USING (query_id) JOIN texts USING (product_id) "
        "ORDER BY query, text, grade"
    ):
        relevant[query].add(text) if grade else irrelevant[query].append(text)
    return Negatives(
        [text for text, _, _ in products],
        [category for _, category, _ in products],
        np.array([users for _, _, users in products]),
        wanted=settings.negatives,
        seed=settings.seed,
        relevant=relevant,
        irrelevant=irrelevant,
    )


def _packed(rows: Iterator[dict[str, Any]]) -> Iterator[pyarrow.RecordBatch]:
    waiting: list[dict[str, Any]] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == _ROWS:
            yield pyarrow.RecordBatch.from_pylist(waiting, RETRIEVE)
            waiting = []
    if waiting:
        yield pyarrow.RecordBatch.from_pylist(waiting, RETRIEVE)
