"""The columnar engine: DuckDB on a file beside the result, so that tables may be larger than memory.

It streams and spills to disk by itself; what leaves it is written by Arrow in one thread, in the order asked for: the
same rows give the same bytes.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import pyarrow.parquet
from duckdb.func import PythonUDFType

from model_image.training.data.errors import RunError
from model_image.training.data.sql import literal

_ROWS = 1 << 16  # of a row group
_PIECE = 8  # pieces that a sort could hold at once
_SAMPLE = 20_000
_DISK = ("no space left", "file too large", "could not write", "disk quota", "max_temp_directory_size")


class Engine:
    """One database; close it before its folder is removed."""

    def __init__(self, scratch: Path, memory: str) -> None:
        """`memory` is the most that tables take, such as "2GB"; beyond it they spill into `scratch`."""
        self._memory = memory
        self._database = duckdb.connect(
            str(scratch / "tables.duckdb"),
            config={
                "memory_limit": memory,
                "temp_directory": str(scratch / "spilt"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "preserve_insertion_order": "true",
            },
        )
        self._database.execute("SET TimeZone = 'UTC'")

    def close(self) -> None:
        self._database.close()

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement. Raises `RunError` for the machine's faults and `duckdb.Error` for all others."""
        try:
            return self._database.execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise self._told(error) from error

    def define(self, name: str, function: Callable[..., Any], given: Sequence[str], result: str) -> None:
        """A function for SQL of one or two values, called once a row with none missing."""

        def columns(*arrays: pyarrow.ChunkedArray) -> pyarrow.Array:
            lists = [array.to_pylist() for array in arrays]
            found = [function(*row) for row in zip(*lists, strict=True)]
            return pyarrow.array(found, pyarrow.int64() if result == "BIGINT" else pyarrow.string())

        # side_effects: a function that counts must be called once a row, and none is worth folding.
        known: Callable[..., Any] = lambda one: columns(one)  # noqa: E731
        if len(given) == 2:
            known = lambda one, two: columns(one, two)  # noqa: E731
        self._database.create_function(name, known, list(given), result, type=PythonUDFType.ARROW, side_effects=True)

    def add(self, table: str, columns: pyarrow.Table) -> None:
        """Append rows that Python made."""
        self._database.register("added", columns)
        self.rows(f"INSERT INTO {table} SELECT * FROM added")
        self._database.unregister("added")

    def batches(self, sql: str) -> Iterable[pyarrow.RecordBatch]:
        """The rows of a query as they come; nothing else may be asked meanwhile."""
        try:
            yield from self._database.sql(sql).to_arrow_reader(_ROWS)
        except (duckdb.Error, pyarrow.ArrowException, OSError) as error:
            raise self._told(error) from error

    def ordered(self, columns: str, table: str, order: str) -> Iterable[pyarrow.RecordBatch]:
        """The `columns` of a table (or view, or part of one) in `order`, sorted piece by piece of its first key's
        range: the engine's own sort keeps texts in memory, and a whole table of them may not fit."""
        key = order.partition(",")[0]
        count, size = self.rows(
            f"SELECT (SELECT count(*) FROM {table}), "
            f"(SELECT coalesce(avg(length(s::VARCHAR)), 0) FROM (SELECT * FROM {table} LIMIT 1000) s)"
        )[0]
        pieces = math.ceil(count * size * _PIECE / _bytes(self._memory))
        bounds: list[str] = []
        if pieces > 1:
            parts = [at / pieces for at in range(1, pieces)]
            sample = f"SELECT {key} AS k FROM {table} USING SAMPLE {_SAMPLE} ROWS"
            found = self.rows(f"SELECT quantile_disc(k, {parts})::VARCHAR[] FROM ({sample})")[0][0]
            bounds = sorted(set(found))
        for low, high in pairwise([None, *bounds, None]):
            above = f"{key} >= {literal(low)}" if low is not None else "true"
            where = above + (f" AND {key} < {literal(high)}" if high is not None else "")
            yield from self.batches(f"SELECT {columns} FROM (SELECT * FROM {table} WHERE {where}) ORDER BY {order}")

    def write(self, sql: str, path: Path, schema: pyarrow.Schema) -> int:
        """The rows of a query, in its order, as Parquet; returns how many. Raises as `rows`."""
        return write_parquet(path, schema, self.batches(sql))

    def _told(self, error: Exception) -> Exception:
        text = str(error)
        if "Out of Memory" in text and "max_temp" not in text:
            return RunError(f"memory: {self._memory} do not suffice ({_first(text)}); raise --memory")
        if any(word in text.lower() for word in _DISK):
            return RunError(f"disk: {_first(text)}; make room beside the target and run again")
        return error


def write_parquet(path: Path, schema: pyarrow.Schema, batches: Iterable[pyarrow.RecordBatch]) -> int:
    """Write row groups of one size whatever the sizes of the batches; returns the rows. Raises `OSError`."""
    count = 0
    waiting: list[pyarrow.RecordBatch] = []
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            waiting.append(batch.cast(schema))
            count += len(batch)
            if sum(map(len, waiting)) >= _ROWS:
                # One chunk, since pages end where chunks do, and those depend on the memory there was.
                table = pyarrow.Table.from_batches(waiting, schema).combine_chunks()
                full = len(table) - len(table) % _ROWS
                writer.write_table(table.slice(0, full), row_group_size=_ROWS)
                waiting = table.slice(full).to_batches()
        writer.write_table(pyarrow.Table.from_batches(waiting, schema).combine_chunks(), row_group_size=_ROWS)
    return count


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _bytes(memory: str) -> float:
    """Of "2GB" and the like."""
    number = memory.rstrip("KMGTiB ")
    return float(number) * 1000.0 ** (1 + "KMGT".index(memory[len(number) :].strip()[0]))
