"""One table from its files to its good rows in Parquet, with the others in refused/ under the rule they break."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from model_image.training.data import refused
from model_image.training.data.engine import Engine, write_parquet
from model_image.training.data.reading import read, shown
from model_image.training.data.rules import UNREADABLE, Rule
from model_image.training.data.settings import Settings
from model_image.training.data.sql import literal, parquet
from model_image.training.data.tablefile import TableFile
from model_image.training.data.tables import TABLES, Table
from model_image.training.dataset import TableCount

LABELS = {"classify": "label", "regress": "value"}
"""Tables that are examples as they are given, with what is learnt of them."""


def written(name: str) -> str:
    """Where the good rows of a table are, in the prepared folder."""
    return f"examples/{name}.parquet" if name in LABELS else f"{name}.parquet"


def check(
    engine: Engine,
    name: str,
    files: Sequence[TableFile],
    settings: Settings,
    folder: Path,
    links: Path,
    *,
    extra: Mapping[str, str] | None = None,
) -> TableCount:
    """Write the good rows to `written(name)` and the others to refused/<name>.parquet in `folder`; the good ones are
    the engine's view `name` after.

    `extra` maps columns that are computed to their SQL. Raises `InputError` for a file that cannot be read, and for
    too many refused rows or none left; of a shard's events, which may be few, the merge of all shards judges that.
    """
    table = TABLES[name]
    read(engine, name, files, settings, links)
    engine.rows(f"CREATE VIEW {name}_all AS {_across(name, table)}")
    engine.rows(f"CREATE VIEW {name}_refused AS {_refused(name, files)}")
    count = _counted(engine, name)
    if count.refused:
        refused.write(engine, name, f"{name}_refused", folder)
    if name != "events" or settings.shard[1] == 1:
        refused.judge(engine, name, count, settings.most_refused, folder)
    good = folder / written(name)
    good.parent.mkdir(exist_ok=True)
    extra = extra or {}
    columns = ", ".join(
        f'{extra[field]} AS "{field}"' if field in extra else f'"{field}"' for field in table.schema.names
    )
    kept = f"(SELECT * FROM {name}_all WHERE rule IS NULL)"
    write_parquet(good, table.schema, engine.ordered(columns, kept, table.order))
    for kind, suffix in (("VIEW", "refused"), ("VIEW", "all"), ("TABLE", "read"), ("TABLE", "unreadable")):
        engine.rows(f"DROP {kind} {name}_{suffix}")
    engine.rows(f"CREATE VIEW {name} AS SELECT * FROM {parquet(good)}")
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


def _refused(name: str, files: Sequence[TableFile]) -> str:
    """SQL of place, rule, field, seen; the number of a row counts those of its file that could not be read."""
    place = refused.place([file.name for file in files])
    shifts = f"SELECT file, least, max(before) AS before FROM {name}_unreadable GROUP BY file, least"
    rows = (
        "SELECT r.file, r.number + coalesce(s.before, 0) AS number, r.rule, r.field, r.seen "
        f"FROM (SELECT * FROM {name}_all WHERE rule IS NOT NULL) r "
        f"ASOF LEFT JOIN ({shifts}) s ON r.file = s.file AND r.number >= s.least"
    )
    none = f"SELECT file, number, {literal(UNREADABLE)} AS rule, field, seen FROM {name}_unreadable WHERE counted"
    return f"SELECT *, {place} AS place FROM ({rows} UNION ALL {none})"


def _counted(engine: Engine, name: str) -> TableCount:
    aside = dict(engine.rows(f"SELECT rule, count(*) FROM {name}_refused GROUP BY rule ORDER BY rule"))
    read = engine.rows(f"SELECT count(*) FROM {name}_read")[0][0] + aside.get(UNREADABLE, 0)
    return TableCount(read=read, kept=read - sum(aside.values()), refused=aside)
