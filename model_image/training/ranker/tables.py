"""What the rankers learn from, out of a prepared dataset: products, graded queries, purchases by row and day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from model_image.catalogue import TEXTS, Product
from model_image.training.dataset import EVENTS, JUDGMENTS, PRODUCTS, QUERIES, Dataset, DatasetError
from model_image.training.evaluate.tables import connected, table
from model_image.training.ranker.behaviour import Purchases

_EPOCH = datetime(1970, 1, 1)


class Graded(NamedTuple):
    """A query with what is known of it: `grades` maps rows of the catalogue to 0 to 3; `fold` is 0 to 4."""

    query_id: str
    text: str
    fold: int
    grades: Mapping[int, int]


class Bought(NamedTuple):
    """All purchases; `users` are the names of the numbers in `entries.user`, `cut` the first day not to learn
    from."""

    users: list[str]
    entries: Purchases
    cut: int


def read_catalogue(dataset: Dataset) -> list[Product]:
    """In the order of the table, which is that of the release. Raises `DatasetError`."""
    names = ["product_id", "title", *TEXTS, "price"]
    columns = _columns(dataset, PRODUCTS, names)
    return [Product(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def read_graded(dataset: Dataset, rows: Mapping[str, int]) -> list[Graded]:
    """The queries that have a judgment of a product in `rows`, product_id to row. Raises `DatasetError`."""
    grades: dict[str, dict[int, int]] = {}
    for query, product, grade in zip(*_columns(dataset, JUDGMENTS, ["query_id", "product_id", "grade"]), strict=True):
        if product in rows:
            grades.setdefault(query, {})[rows[product]] = int(grade)
    queries = zip(*_columns(dataset, QUERIES, ["query_id", "query", "fold"]), strict=True)
    return [Graded(query, text, int(fold), grades[query]) for query, text, fold in queries if query in grades]


def read_bought(dataset: Dataset, rows: Mapping[str, int]) -> Bought:
    """Purchases of products in `rows`, each user, day and product once. Raises `DatasetError` also without a cut."""
    if dataset.prepared.cut is None:
        raise DatasetError(f"{dataset.folder}: has no cut, expected a date; prepare it with --cut")
    sql = f"""
        WITH known AS (SELECT unnest($1::VARCHAR[]) AS product_id, unnest($2::BIGINT[]) AS row)
        SELECT DISTINCT "user", row, date_diff('day', DATE '1970-01-01', time::DATE) AS day
        FROM {table(dataset, EVENTS)} JOIN known USING (product_id) WHERE action = $3 AND "user" <> ''"""
    with connected(dataset) as connection:
        connection.execute(f"CREATE TEMP TABLE entries AS {sql}", [list(rows), list(rows.values()), dataset.purchase])
        connection.execute(
            """CREATE TEMP TABLE users AS SELECT "user", row_number() OVER (ORDER BY "user") - 1 AS number
            FROM (SELECT DISTINCT "user" FROM entries)"""
        )
        users = connection.execute('SELECT "user" FROM users ORDER BY number').fetchnumpy()["user"].tolist()
        sql = 'SELECT number, day, row FROM entries JOIN users USING ("user") ORDER BY ALL'
        found = connection.execute(sql).fetchnumpy()
    entries = Purchases(*(found[name].astype(np.int64) for name in ("number", "row", "day")))
    return Bought(users, entries, (dataset.prepared.cut.replace(tzinfo=None) - _EPOCH).days)


def _columns(dataset: Dataset, table: str, names: list[str]) -> list[list[Any]]:
    from pyarrow import parquet

    found = parquet.read_table(dataset.path(table), columns=names)
    return [found.column(name).to_pylist() for name in names]
