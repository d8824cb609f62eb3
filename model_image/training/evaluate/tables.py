"""Tables of a prepared dataset, read by duckdb: what does not concern the question stays on disk."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from model_image.products import product_text
from model_image.training.data.sql import parquet
from model_image.training.dataset import PRODUCTS, Dataset, DatasetError

if TYPE_CHECKING:
    import duckdb


class Catalogue(NamedTuple):
    """Columns of products.parquet in its order."""

    ids: list[str]
    titles: list[str]
    categories: list[str]

    @property
    def texts(self) -> list[str]:
        """What a served release embeds of each."""
        return [product_text(title, category) for title, category in zip(self.titles, self.categories, strict=True)]


def read_catalogue(dataset: Dataset) -> Catalogue:
    """Raises `DatasetError` where there are no products."""
    rows = query(dataset, f"SELECT product_id, title, category FROM {table(dataset, PRODUCTS)}")
    return Catalogue(*(list(column) for column in zip(*rows, strict=True))) if rows else Catalogue([], [], [])


def table(dataset: Dataset, name: str) -> str:
    """The table as duckdb reads it in a FROM clause. Raises `DatasetError` where it was not given."""
    return parquet(dataset.path(name))


@contextmanager
def connected(dataset: Dataset) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A database in memory, in UTC; what does not fit there spills into the folder for temporary files.

    Raises `DatasetError` for a file of the dataset that cannot be read, OSError for a disk or a memory that is full.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="tables-") as spilt, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET temp_directory = '{spilt}'")
        try:
            yield connection
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise OSError(f"{dataset.folder}: {error}") from error
        except duckdb.Error as error:
            raise DatasetError(f"{dataset.folder}: {error}; prepare the data again") from error


def query(dataset: Dataset, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of one question. Raises `DatasetError` for a file that cannot be read."""
    with connected(dataset) as connection:
        return connection.execute(sql, list(values)).fetchall()


def top(scores: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` highest of float [n], int64, the best first and equal ones in order."""
    if 0 < count < len(scores):
        found = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
    else:
        found = np.arange(len(scores))
    return found[np.argsort(-scores[found], kind="stable")[:count]]
