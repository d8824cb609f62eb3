"""One table from its files to its good rows in Parquet, with the others in refused/ under the rule they break."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow

from model_image.training.data.engine import Engine, literal, write_parquet
from model_image.training.data.errors import InputError
from model_image.training.data.reading import read, shown
from model_image.training.data.rules import UNREADABLE, Rule
from model_image.training.data.settings import Settings
from model_image.training.data.shards import Shard
from model_image.training.data.tables import TABLES, Table
from model_image.training.dataset import REFUSED, TableCount

_REFUSED = pyarrow.schema([(name, pyarrow.string()) for name in ("place", "rule", "column", "value")])
_EXAMPLES = 3


def check(
    engine: Engine,
    name: str,
    files: Sequence[Shard],
    settings: Settings,
    folder: Path,
    links: Path,
    *,
    path: str = "",
    extra: Mapping[str, str] | None = None,
) -> TableCount:
    """Write the good rows to `path` (default <name>.parquet) and the others to refused/<name>.parquet in `folder`;
    the good ones are the engine's view `name` after.

    `extra` maps columns that are computed to their SQL. Raises `InputError` for a shard that cannot be read, for too
    many refused rows and for none left.
    """
    table = TABLES[name]
    read(engine, name, files, settings, links)
    engine.rows(f"CREATE VIEW {name}_all AS {_across(name, table)}")
    engine.rows(f"CREATE VIEW {name}_refused AS {_refused(name, files)}")
    count = _counted(engine, name)
    _limit(engine, name, table, count, settings.most_refused)
    if count.refused:
        sql = f'SELECT place, rule, field AS "column", seen AS "value" FROM {name}_refused ORDER BY shard, number'
        engine.write(sql, folder / REFUSED / f"{name}.parquet", _REFUSED)
    good = folder / (path or f"{name}.parquet")
    extra = extra or {}
    columns = ", ".join(
        f'{extra[field]} AS "{field}"' if field in extra else f'"{field}"' for field in table.schema.names
    )
    kept = f"(SELECT * FROM {name}_all WHERE rule IS NULL)"
    write_parquet(good, table.schema, engine.ordered(columns, kept, table.order))
    for kind, suffix in (("VIEW", "refused"), ("VIEW", "all"), ("TABLE", "read"), ("TABLE", "unreadable")):
        engine.rows(f"DROP {kind} {name}_{suffix}")
    engine.rows(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({literal(str(good))})")
    return count


def _across(name: str, table: Table) -> str:
    """SQL of every row with the first rule it breaks, those across rows included."""
    if not table.across:
        return f"SELECT * FROM {name}_read"
    cases = " ".join(f"WHEN {rule.bad} THEN {at}" for at, rule in enumerate(table.across, start=1))
    cases = cases.replace("$table", f"{name}_read")
    values = " ".join(
        f"WHEN {at} THEN {shown(table, rule.column, rule.column)}" for at, rule in enumerate(table.across, start=1)
    )
    found = f"SELECT *, CASE WHEN rule IS NOT NULL THEN NULL {cases} END AS broken FROM {name}_read"
    return (
        f"SELECT * EXCLUDE (broken) REPLACE (coalesce(rule, {_pick(table.across, 'name')}) AS rule, "
        f"coalesce(field, {_pick(table.across, 'column')}) AS field, "
        f"CASE WHEN broken IS NULL THEN seen ELSE CASE broken {values} END END AS seen) FROM ({found})"
    )


def _pick(across: tuple[Rule, ...], what: str) -> str:
    return f"([{', '.join(literal(getattr(rule, what)) for rule in across)}])[broken]"


def _refused(name: str, files: Sequence[Shard]) -> str:
    """SQL of place, rule, field, seen; the number of a row counts those of its file that could not be read."""
    paths = ", ".join(literal(file.name) for file in files)
    shifts = f"SELECT shard, least, max(before) AS before FROM {name}_unreadable GROUP BY shard, least"
    rows = (
        "SELECT r.shard, r.number + coalesce(s.before, 0) AS number, r.rule, r.field, r.seen "
        f"FROM (SELECT * FROM {name}_all WHERE rule IS NOT NULL) r "
        f"ASOF LEFT JOIN ({shifts}) s ON r.shard = s.shard AND r.number >= s.least"
    )
    none = f"SELECT shard, number, {literal(UNREADABLE)} AS rule, field, seen FROM {name}_unreadable WHERE counted"
    return f"SELECT *, ([{paths}])[shard + 1] || ', row ' || number AS place FROM ({rows} UNION ALL {none})"


def _counted(engine: Engine, name: str) -> TableCount:
    refused = dict(engine.rows(f"SELECT rule, count(*) FROM {name}_refused GROUP BY rule ORDER BY rule"))
    read = engine.rows(f"SELECT count(*) FROM {name}_read")[0][0] + refused.get(UNREADABLE, 0)
    return TableCount(read=read, kept=read - sum(refused.values()), refused=refused)


def _limit(engine: Engine, name: str, table: Table, count: TableCount, most_refused: float) -> None:
    expected = {rule.name for rule in (*table.rules, *table.across) if rule.expected}
    bad = sum(rows for rule, rows in count.refused.items() if rule not in expected)
    if count.read == 0:
        raise InputError(f"{name}: no row, expected at least one below the header")
    if count.kept and 100 * bad <= most_refused * count.read:
        return
    lines = [
        f"{name}: {bad:,} of {count.read:,} rows refused, {count.kept:,} left, expected at most {most_refused:g} %"
    ]
    for rule, rows in count.refused.items():
        sql = f"SELECT place, seen FROM {name}_refused WHERE rule = ? ORDER BY shard, number LIMIT {_EXAMPLES}"
        places = "; ".join(f"{place}: {seen!r}" for place, seen in engine.rows(sql, [rule]))
        lines.append(f"  {rule}: {rows:,} ({places})")
    raise InputError("\n".join([*lines, "  repair the rows, or raise --most-refused after looking at them"]))
