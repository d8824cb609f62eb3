"""The files of a table: one, all of a folder, or those a pattern names; each is read as text by row number."""

import csv
import glob
import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pyarrow.types as types

from model_image.training.data.errors import InputError
from model_image.training.data.scrub import scrub
from model_image.training.data.sql import identifier, literal, parquet

_CSV = (".csv", ".csv.gz")
_PARQUET = (".parquet", ".pq")
_ESCAPED = re.compile(r"\[([*?[])\]")  # as glob.escape writes them
_TOLD = 5  # of what was passed over
_SPACES = " \t\r\n\u00a0\u3000"
LISTS = frozenset({"tags"})
IDS = frozenset({"user_id", "product_id", "query_id"})


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """One file; `columns` maps its columns to "text", "float" or "list". `name` is its path in what was given, by which
    it is told from the other files of its table."""

    path: Path
    name: str
    columns: Mapping[str, str]

    @property
    def is_csv(self) -> bool:
        return self.path.name.lower().endswith(_CSV)


def find(table: str, given: str, note: Callable[[str], None] = lambda _: None) -> list[TableFile]:
    """The files that `given` names, in the order of their names; `note` is told what of a folder is passed over, but
    for hidden files and marks such as _SUCCESS. Raises `InputError` naming the bad one."""
    path = Path(given)
    base = path if path.is_dir() else _base(given)
    if path.is_dir():
        entries = sorted(path.iterdir())
        files = [file for file in entries if file.name.lower().endswith((*_CSV, *_PARQUET)) and file.is_file()]
        passed = [file.name for file in entries if file not in files and not file.name.startswith((".", "_"))]
        if passed:
            way_out = "only files of a folder named .csv, .csv.gz, .parquet or .pq are read, a pattern reaches others"
            note(f"{table}: {given}: passed over: {', '.join(passed[:_TOLD])} ({len(passed)} in all); {way_out}")
    else:
        files = [path] if path.is_file() else [Path(name) for name in glob.glob(given, recursive=True)]
    if not files:
        raise InputError(f"{table}: {given}: no file, expected .csv, .csv.gz, .parquet or .pq, a folder or a pattern")
    return [_opened(file, str(file.relative_to(base))) for file in sorted(files)]


def _base(pattern: str) -> Path:
    """The folder that all files of a pattern are in, whatever it matches."""
    if Path(pattern).is_file():
        return Path(pattern).parent
    plain = takewhile(lambda part: not glob.has_magic(_ESCAPED.sub("", part)), Path(pattern).parts[:-1])
    return Path(*(_ESCAPED.sub(r"\1", part) for part in plain))


def texts(
    file: TableFile, wanted: Sequence[str], required: Sequence[str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """SQL that reads each wanted column as trimmed text, '' where absent. Raises `InputError` for a missing one."""
    found = {}
    for name in wanted:
        theirs = renamed.get(name, name)
        kind = file.columns.get(theirs, "")
        if not kind and (name in required or name in renamed):
            way_out = f"--column TABLE.{name}=THEIRS names it, the file has {scrub(', '.join(file.columns))[0]}"
            raise InputError(f"{file.path}: no column {theirs!r}; {way_out}")
        if (kind == "list") > (name in LISTS):
            raise InputError(f"{file.path}: column {theirs!r} holds lists or others, expected text or numbers")
        found[name] = _text(name, identifier(theirs), kind)
    return found


def source(file: TableFile, safe: Path, rejects: str) -> str:
    """SQL of all rows with their number, from 1. `safe` is a link of a name without special characters;
    rows of a CSV that cannot be read go to the tables `rejects` and `rejects`_scans."""
    if not file.is_csv:
        return f"SELECT *, file_row_number + 1 AS number FROM {parquet(safe, numbered=True)}"
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in file.columns)
    return (
        f"SELECT *, row_number() OVER () AS number FROM read_csv({literal(str(safe))}, auto_detect = false, "
        f"header = true, delim = ',', quote = '\"', escape = '\"', columns = {{{columns}}}, hive_partitioning = false, "
        f"store_rejects = true, rejects_table = {literal(rejects)}, rejects_scan = {literal(rejects + '_scans')})"
    )


def _opened(path: Path, told: str) -> TableFile:
    name = path.name.lower()
    try:
        if name.endswith(_PARQUET):
            with pyarrow.parquet.ParquetFile(path) as file:
                return TableFile(
                    path=path, name=told, columns={field.name: _kind(field.type) for field in file.schema_arrow}
                )
        if name.endswith(_CSV):
            return TableFile(path=path, name=told, columns=dict.fromkeys(_header(path), "text"))
    except (pyarrow.ArrowException, OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error}); write this file again") from error
    raise InputError(f"{path}: expected a file named .csv, .csv.gz, .parquet or .pq")


def _header(path: Path) -> list[str]:
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rb") as raw:  # line by line: what follows the header may be no UTF-8, and is put aside by row
        names = next(csv.reader(line.decode("utf-8" if at else "utf-8-sig") for at, line in enumerate(raw)), [])
    if not names or len(set(names)) < len(names):
        raise InputError(f"{path}: header is {scrub(str(names))[0]}, expected names, every one once")
    return names


def _kind(type_: pyarrow.DataType) -> str:
    inner = type_.value_type if types.is_dictionary(type_) else type_
    if types.is_floating(inner):
        return "float"
    nested = types.is_nested(inner) or types.is_binary(inner) or types.is_large_binary(inner)
    return "list" if nested else "text"


def _text(name: str, column: str, kind: str) -> str:
    trimmed = f"trim(coalesce({{}}::VARCHAR, ''), '{_SPACES}')"
    if name in LISTS:
        listed = f"{column}::VARCHAR[]" if kind == "list" else f"string_split({trimmed.format(column)}, '|')"
        kept = "list_filter(list_transform({}, lambda x: trim(x)), lambda x: x <> '')"
        return kept.format(f"coalesce({listed}, [])") if kind else "[]::VARCHAR[]"
    if not kind:
        return "''"
    if kind == "float" and name in IDS:  # a whole number that became one because others are missing
        whole = f"{column} = trunc({column}) AND abs({column}) < 9007199254740992"
        return f"CASE WHEN {whole} THEN {column}::BIGINT::VARCHAR ELSE {trimmed.format(column)} END"
    return trimmed.format(column)
