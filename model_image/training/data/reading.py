"""The files of a table into the engine, each row with the first rule of its own that it breaks.

<table>_read         file (by number, from 0), number (of the row), the parsed columns, rule, field, seen: the latter
                     three are null in good rows, `seen` is what may be shown of the value
<table>_unreadable   rows of CSV files that are none: file, number, field, seen; `before` of them come up to this one,
                     which is found after `least` - 1 readable rows; `counted` where this shard reports it
"""

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from model_image.training.data import tablefile
from model_image.training.data.engine import Engine
from model_image.training.data.errors import InputError
from model_image.training.data.settings import Settings
from model_image.training.data.sql import literal
from model_image.training.data.tablefile import TableFile
from model_image.training.data.tables import TABLES, Table

_SHOWN = 80  # characters of a value
_DATE = "regexp_full_match({0}, '([0-9]{{1,4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,4}}([T ][0-9:.+Z-]{{1,24}})?)?')"
_NUMBER = "{0} = '' OR length({0}) <= 8 AND TRY_CAST({0} AS DOUBLE) IS NOT NULL"  # a phone number is longer
_PLAIN = {"time": _DATE, "quantity": _NUMBER, "price": _NUMBER}


def read(engine: Engine, name: str, files: Sequence[TableFile], settings: Settings, links: Path) -> None:
    """Make both tables. `links` is a folder to put links to the files in. Raises `InputError` naming the file."""
    table = TABLES[name]
    engine.rows(
        f"CREATE TABLE {name}_unreadable "
        "(file BIGINT, number BIGINT, field VARCHAR, seen VARCHAR, before BIGINT, least BIGINT, counted BOOLEAN)"
    )
    for at, file in enumerate(files):
        suffix = "".join(file.path.suffixes[-2:]).lower() if file.path.suffix.lower() == ".gz" else file.path.suffix
        link = links / f"{name}-{at}{suffix}"  # a name that the engine takes for no pattern
        link.symlink_to(file.path.resolve())
        rejects = f"{name}_rejects_{at}"
        texts = tablefile.texts(file, table.columns, table.required, settings.columns.get(name, {}))
        rows = _rows(table, texts, _source(name, tablefile.source(file, link, rejects), settings.shard), settings)
        verb = f"INSERT INTO {name}_read" if at else f"CREATE TABLE {name}_read AS"
        try:
            engine.rows(f"{verb} SELECT {at} AS file, * FROM ({rows})")
        except duckdb.Error as error:
            raise InputError(f"{file.path}: cannot be read ({_told(error)}); write this file again") from None
        if file.is_csv:
            _whole(engine, file, rejects)
            _note_rejects(engine, name, at, rejects, counted=settings.shard[0] == 0 or name != "events")


def shown(table: Table, column: str, given: str) -> str:
    """SQL of what a report may show of the column's text.

    In a table with users none of their ids may be shown, also not where columns were taken for one another: of a time
    what is a date, of a quantity or price what is a short number, of the others the length.
    """
    if table.private:
        length = f"'(' || length({given}) || ' characters)'"
        plain = _PLAIN.get(column)
        return f"CASE WHEN {plain.format(given)} THEN {given} ELSE {length} END" if plain else length
    if table.free:  # people write what they like, also into the wrong column
        return f"left(scrubbed_value(left({given}, 1000)), {_SHOWN})"
    return (
        f"left({given}, {_SHOWN})"
        if column not in tablefile.LISTS
        else f"left(array_to_string({given}, '|'), {_SHOWN})"
    )


def _source(name: str, rows: str, shard: tuple[int, int]) -> str:
    """Of events the rows of this shard alone. By number: every shard has as many, and no other id is hashed."""
    index, of = shard
    return f"SELECT * FROM ({rows}) WHERE number % {of} = {index}" if name == "events" and of > 1 else rows


def _rows(table: Table, texts: dict[str, str], source: str, settings: Settings) -> str:
    given = ", ".join(f"{sql} AS raw_{column}" for column, sql in texts.items())
    parsed = ", ".join(f'{sql} AS "{column}"' for column, sql in table.parsed.items())
    cases = " ".join(f"WHEN {rule.bad} THEN {at}" for at, rule in enumerate(table.rules, start=1))
    names = ", ".join(literal(rule.name) for rule in table.rules)
    fields = ", ".join(literal(rule.column) for rule in table.rules)
    values = " ".join(f"WHEN {literal(name)} THEN {shown(table, name, f'raw_{name}')}" for name in table.columns)
    kept = ", ".join(f'"{column}"' for column in table.parsed)
    ruled = (
        f"SELECT *, CASE {cases} END AS broken FROM (SELECT *, {parsed} FROM (SELECT number, {given} FROM ({source})))"
    )
    named = f"SELECT *, ([{names}])[broken] AS rule, ([{fields}])[broken] AS field FROM ({ruled})"
    sql = f"SELECT number, {kept}, rule, field, CASE field {values} END AS seen FROM ({named})"
    now = f"TIMESTAMP {literal(settings.now.isoformat(sep=' '))}"
    return sql.replace("$now", now).replace("$action", literal(settings.action))


def _whole(engine: Engine, file: TableFile, rejects: str) -> None:
    """Raises `InputError` where a row that is none has taken in the lines behind it, as after a quote left open: how
    many rows they were, nobody knows. Of lines that are no UTF-8 the quotes are sound."""
    sql = (
        f"SELECT line - 1 FROM {rejects} WHERE error_type::VARCHAR <> 'INVALID ENCODING' AND "
        "(error_type::VARCHAR = 'LINE SIZE OVER MAXIMUM' OR regexp_matches(trim(csv_line, chr(10) || chr(13)), "
        "'[\\r\\n]')) ORDER BY line LIMIT 1"
    )
    for (row,) in engine.rows(sql):
        raise InputError(
            f"{file.path}: row {row} runs on over the lines behind it, expected every quote to be closed; "
            "close or double the quote in it and write this file again"
        )


def _note_rejects(engine: Engine, name: str, at: int, rejects: str, *, counted: bool) -> None:
    """The header counts as the first line; a line that is wrong in two ways is one row."""
    engine.rows(
        f"INSERT INTO {name}_unreadable SELECT {at}, number, field, seen, before, number + 1 - before, {counted} FROM ("
        "SELECT line - 1 AS number, coalesce(min(column_name), '') AS field, lower(min(error_type::VARCHAR)) "
        f"AS seen, row_number() OVER (ORDER BY line) AS before FROM {rejects} GROUP BY line)"
    )
    engine.rows(f"DROP TABLE {rejects}")
    engine.rows(f"DROP TABLE {rejects}_scans")


def _told(error: duckdb.Error) -> str:
    """Without what the engine quotes: it may be a user's id."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", '"..."', str(error).splitlines()[0])[:200]
