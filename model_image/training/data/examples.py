"""examples/<task>.parquet from what may be learnt; columns and their meaning are in `dataset.EXAMPLES`.

Rows are in the order of a hash of query and text: training reads windows of the file, and a window of it is then a
sample of all queries, not one letter of the alphabet.
"""

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
from model_image.training.data.sql import parquet

_TEXT, _NUMBER = pyarrow.string(), pyarrow.float64()
RANK = pyarrow.schema(
    [("query", _TEXT), ("text", _TEXT), ("wished", _NUMBER), ("group", pyarrow.int64()), ("split", _TEXT)]
)
RETRIEVE = pyarrow.schema(
    [("query", _TEXT), ("text", _TEXT), ("negatives", pyarrow.list_(_TEXT)), ("weight", _NUMBER), ("split", _TEXT)]
)
_ROWS = 1 << 14

Positive = tuple[str, str, str, str | None, str, int, list[int] | None]
"""query, text, category, own text, split, times, places of near misses"""


def write_rank(engine: Engine, path: Path) -> int:
    """Returns the rows."""
    columns = ", ".join(f'"{name}"' for name in RANK.names)
    order = 'spread, query, text, "group", query_id'
    return write_parquet(path, RANK, engine.ordered(columns, f"({positives.rank(engine)})", order))


def write_retrieve(engine: Engine, path: Path, settings: Settings) -> int:
    """Returns the rows, 0 and no file where nothing belongs together."""
    total = positives.find(engine, settings)
    if not total:
        return 0
    near.none(engine) if settings.model is None else near.find(engine, settings.model)
    negatives = _negatives(engine, settings)
    found = "(SELECT * FROM positives LEFT JOIN near USING (query))"
    order = "query, text, split, category, own"
    batches = engine.ordered("query, text, category, own, split, times, places", found, order)
    rows = chain.from_iterable(zip(*(column.to_pylist() for column in batch.columns), strict=True) for batch in batches)
    by_query = path.with_suffix(".by-query")  # a query's positives share its draws, so the hash's order comes after
    try:
        write_parquet(by_query, RETRIEVE, _packed(_retrieve(rows, negatives, total)))
        made = f"(SELECT * FROM {parquet(by_query, numbered=True)})"
        spread = "md5(query || chr(1) || text), file_row_number"
        return write_parquet(path, RETRIEVE, engine.ordered(", ".join(RETRIEVE.names), made, spread))
    finally:
        by_query.unlink(missing_ok=True)


def _retrieve(rows: Iterator[Any], negatives: Negatives, total: int) -> Iterator[dict[str, Any]]:
    for query, group in groupby(rows, key=itemgetter(0)):
        found: list[Positive] = list(group)
        near_misses = found[0][-1] or ()
        own = {text for _, _, _, text, *_ in found if text is not None}
        drawn = negatives.of_query(query, [(text, category) for _, text, category, *_ in found], near_misses, own)
        for (_, text, _, _, split, times, _), others in zip(found, drawn, strict=True):
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
