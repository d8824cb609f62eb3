"""Rows of a CSV or Parquet file as text, streamed, and the error that points into such a file."""

import csv
from collections.abc import Collection, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_BATCH_ROWS = 1024
_MAX_FIELD = 1 << 20  # characters; the csv module's own limit of 128 KiB is below real product descriptions


class TableError(Exception):
    """Bad input: file, place, column, value seen and what was expected."""

    def __init__(self, path: Path, place: str, expected: str, *, column: str = "", value: object = None) -> None:
        parts = [str(path), place, f"column {column!r}" if column else ""]
        seen = "" if value is None else f"found {_short(value)}, "
        super().__init__(f"{', '.join(part for part in parts if part)}: {seen}expected {expected}")


@dataclass(frozen=True, kw_only=True)
class Row:
    """`place` is 'line 7' or 'row 7' (from 1, the header of a CSV counted). `values` has every wanted column of the
    file; an absent value is ''. Numbers arrive as their shortest text."""

    place: str
    values: Mapping[str, str]


def read_rows(path: Path, *, required: Collection[str], optional: Collection[str] = ()) -> Generator[Row]:
    """Stream the wanted columns of `path` (.csv in UTF-8, .parquet or .pq). Raises `TableError`.

    The file is open until the last row or `close()`: who may stop between two rows takes it with `closing`.
    """
    wanted = [*required, *optional]
    if not path.is_file():
        raise TableError(path, "", "an existing file")
    if path.suffix.lower() == ".csv":
        yield from _csv(path, required, wanted)
    elif path.suffix.lower() in (".parquet", ".pq"):
        yield from _parquet(path, required, wanted)
    else:
        raise TableError(path, "", "a file named .csv, .parquet or .pq", value=path.suffix or path.name)


def columns(path: Path) -> list[str]:
    """The column names of a file that `read_rows` accepts."""
    if path.suffix.lower() == ".csv":
        with closing(_decoded(path)) as lines:
            return next(csv.reader(lines), [])
    import pyarrow.parquet

    return list(pyarrow.parquet.read_schema(path).names)


def _csv(path: Path, required: Collection[str], wanted: list[str]) -> Generator[Row]:
    csv.field_size_limit(_MAX_FIELD)
    line = 1
    with closing(_decoded(path)) as lines:
        reader = csv.reader(lines, strict=True)
        try:
            header = next(reader, [])
            _check_header(path, header, required)
            positions = {name: header.index(name) for name in wanted if name in header}
            line = reader.line_num + 1
            for cells in reader:
                if cells and len(cells) != len(header):
                    raise TableError(path, f"line {line}", f"{len(header)} columns as in the header", value=cells)
                if cells:
                    yield Row(place=f"line {line}", values={name: cells[at] for name, at in positions.items()})
                line = reader.line_num + 1
        except csv.Error as error:
            raise TableError(path, f"line {line}", f"valid CSV ({error})") from error


def _decoded(path: Path) -> Generator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise TableError(
                    path, f"line {number}", "text in UTF-8", value=line[error.start : error.end]
                ) from error
            if "\0" in text:
                raise TableError(path, f"line {number}", "text without NUL characters")
            yield text


def _parquet(path: Path, required: Collection[str], wanted: list[str]) -> Generator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            _check_header(path, schema.names, required)
            chosen = [name for name in wanted if name in schema.names]
            for name in chosen:
                _check_type(path, name, schema.field(name).type)
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=chosen):
                for record in batch.to_pylist():
                    number += 1
                    values = {name: "" if value is None else str(value) for name, value in record.items()}
                    yield Row(place=f"row {number}", values=values)
    except (pyarrow.ArrowException, OSError) as error:
        raise TableError(path, "", f"a readable Parquet file ({error})") from error


def _check_type(path: Path, name: str, kind: object) -> None:
    import pyarrow.types as types

    value = kind.value_type if types.is_dictionary(kind) else kind  # type: ignore[attr-defined]
    text = types.is_string(value) or types.is_large_string(value) or types.is_string_view(value)
    if not (text or types.is_integer(value) or types.is_floating(value) or types.is_null(value)):
        raise TableError(path, "schema", "text or a number", column=name, value=str(kind))


def _check_header(path: Path, header: list[str], required: Collection[str]) -> None:
    for name in required:
        if name not in header:
            raise TableError(path, "header", f"the column {name!r}", value=header)
    for name in header:
        if header.count(name) > 1:
            raise TableError(path, "header", "every column once", column=name)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
