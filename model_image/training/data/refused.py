"""refused/<table>.parquet: the rows that were put aside, each with its place, and when they are too many."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow

from model_image.training.data.engine import Engine
from model_image.training.data.errors import InputError
from model_image.training.data.sql import literal, parquet, strings
from model_image.training.data.tables import TABLES
from model_image.training.dataset import REFUSED, TableCount

_SCHEMA = pyarrow.schema([(name, pyarrow.string()) for name in ("place", "rule", "column", "value")])
_ROW = ", row "
_TAKEN_APART = f"(?s)^(.*){_ROW}([0-9]+)$"
_EXAMPLES = 3


def place(files: Sequence[str]) -> str:
    """SQL of where a row is, from its file's number (from 0) and its own in that file."""
    return f"({strings(files)})[file + 1] || {literal(_ROW)} || number"


def write(engine: Engine, name: str, rows: str, folder: Path) -> None:
    """Write the rows of `name`, a view with file, number, place, rule, field and seen, in the order of places."""
    (folder / REFUSED).mkdir(exist_ok=True)
    sql = f'SELECT place, rule, field AS "column", seen AS "value" FROM {rows} ORDER BY file, number'
    engine.write(sql, folder / REFUSED / f"{name}.parquet", _SCHEMA)


def merge(engine: Engine, name: str, paths: Sequence[Path], files: Sequence[str], folder: Path) -> None:
    """Write the rows of several such files in the order that one of all has; `files` are the table's, in order."""
    found = f"SELECT *, regexp_extract(place, {literal(_TAKEN_APART)}, ['file', 'number']) AS parts"
    (folder / REFUSED).mkdir(exist_ok=True)
    engine.write(
        f'SELECT place, rule, "column", "value" FROM ({found} FROM {parquet(*paths)}) r JOIN '
        f"(SELECT unnest({strings(files)}) AS file, generate_subscripts({strings(files)}, 1) AS at) f "
        "ON r.parts.file = f.file ORDER BY f.at, r.parts.number::BIGINT",
        folder / REFUSED / f"{name}.parquet",
        _SCHEMA,
    )


def too_many(name: str, count: TableCount, most_refused: float) -> bool:
    """Whether none is left, or more than `most_refused` percent broke a rule that good data keeps to."""
    return not count.kept or 100 * _bad(name, count) > most_refused * count.read


def judge(engine: Engine, name: str, count: TableCount, most_refused: float, folder: Path) -> None:
    """Raises `InputError` with the first places of every rule where `too_many` of a table are refused."""
    if count.read == 0:
        raise InputError(f"{name}: no row, expected at least one below the header")
    if not too_many(name, count, most_refused):
        return
    bad = _bad(name, count)
    lines = [
        f"{name}: {bad:,} of {count.read:,} rows refused, {count.kept:,} left, expected at most {most_refused:g} %"
    ]
    source = parquet(folder / REFUSED / f"{name}.parquet")
    for rule, rows in count.refused.items():
        sql = f'SELECT place, "value" FROM {source} WHERE rule = ? LIMIT {_EXAMPLES}'
        places = "; ".join(f"{place}: {seen!r}" for place, seen in engine.rows(sql, [rule]))
        lines.append(f"  {rule}: {rows:,} ({places})")
    raise InputError("\n".join([*lines, "  repair the rows, or raise --most-refused after looking at them"]))


def _bad(name: str, count: TableCount) -> int:
    expected = {rule.name for rule in (*TABLES[name].rules, *TABLES[name].across) if rule.expected}
    return sum(rows for rule, rows in count.refused.items() if rule not in expected)
