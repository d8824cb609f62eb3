"""The N shards of a run together: the folder that one machine would have prepared of everything, to the byte.

What takes a row at a time was done in the shards. Here their events become one table, and cut, popularity, negatives
and examples are made of it.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow

from model_image.training.data import from_all, functions, manifest, refused
from model_image.training.data.checked import written
from model_image.training.data.engine import Engine, write_parquet
from model_image.training.data.errors import RunError
from model_image.training.data.from_all import Note
from model_image.training.data.prepare import tell
from model_image.training.data.settings import Settings, settings_of
from model_image.training.data.shards import Shard, find_shards, refuse_damage
from model_image.training.data.sql import parquet
from model_image.training.data.tables import TABLES
from model_image.training.data.workfolder import WorkFolder, work_folder
from model_image.training.dataset import EVENTS, REFUSED, Prepared, TableCount


def merge(
    folders: Sequence[Path],
    target: Path,
    *,
    memory: str = Settings.memory,
    model: Path | None = None,
    note: Note = lambda _: None,
) -> Prepared:
    """Make the prepared folder `target` of the folders of all shards, in any order; settings are theirs, and `created`
    is the latest of theirs. `memory` and `model` are as in `Settings`.

    Raises `InputError` for shards that are not those of one run or that are damaged, and for what `prepare` refuses of
    a whole; `RunError` for the machine. Then there is no folder.
    """
    try:
        with work_folder(target) as work:
            shards = find_shards(folders)
            first = shards[0].prepared
            settings = settings_of(
                first.settings,
                inputs={name: str(shards[0].folder / written(name)) for name in first.tables},
                now=datetime.fromisoformat(max(shard.prepared.created for shard in shards)).replace(tzinfo=None),
                target=target,
                memory=memory,
                model=model,
            )
            for shard in shards:
                refuse_damage(shard)
                note(f"shard {shard.prepared.shard[0]} of {len(shards)}: {shard.folder}, as it was prepared")
            _tell_times([shard.prepared.created for shard in shards], note)
            return _merged(work, shards, settings, note)
    except (OSError, pyarrow.ArrowException, duckdb.Error) as error:
        raise RunError(f"{target}: nothing was published ({error})") from error


def _tell_times(created: Sequence[str], note: Note) -> None:
    if min(created) < max(created):
        way_out = "to the byte it is a single machine's where all shards are prepared with the same --now"
        note(f"  warning: created is {min(created)} to {max(created)}, the folder's is the latest; {way_out}")


def _merged(work: WorkFolder, shards: Sequence[Shard], settings: Settings, note: Note) -> Prepared:
    first = shards[0].prepared
    counts = dict(first.tables)
    engine = Engine(work.scratch, settings.memory)
    try:
        functions.define(engine, None, settings.seed)
        for name in first.tables:
            if name == "events":
                counts[name] = _together(engine, shards, settings, work.result)
            else:
                _copy(shards[0], name, work.result)
            engine.rows(f"CREATE VIEW {name} AS SELECT * FROM {parquet(work.result / written(name))}")
            tell(name, counts[name], settings.most_refused, note)
        cut = from_all.finish(engine, work.result, frozenset(counts), settings, note)
    finally:
        engine.close()
    tables = {name: digest for name, digest in first.inputs.items() if name.partition("/")[0] in TABLES}
    return manifest.seal(
        work.result,
        settings,
        inputs=tables | manifest.model_inputs(settings.model),
        tables=counts,
        cut=cut,
        scrubbed=first.scrubbed,
        key=first.key,
    )


def _copy(shard: Shard, name: str, result: Path) -> None:
    for path in (written(name), f"{REFUSED}/{name}.parquet"):
        if path in shard.prepared.files:
            (result / path).parent.mkdir(exist_ok=True)
            shutil.copyfile(shard.folder / path, result / path)


def _together(engine: Engine, shards: Sequence[Shard], settings: Settings, result: Path) -> TableCount:
    """Write the events of all shards, and those that were refused; returns their count."""
    counts = [shard.prepared.tables["events"] for shard in shards]
    aside: Counter[str] = Counter()
    for count in counts:
        aside.update(count.refused)
    found = TableCount(
        read=sum(count.read for count in counts),
        kept=sum(count.kept for count in counts),
        refused=dict(sorted(aside.items())),
    )
    shares = [shard.folder / REFUSED / EVENTS for shard in shards if f"{REFUSED}/{EVENTS}" in shard.prepared.files]
    if shares:
        names = [name.removeprefix("events/") for name in shards[0].prepared.inputs if name.startswith("events/")]
        refused.merge(engine, "events", shares, names, result)
    refused.judge(engine, "events", found, settings.most_refused, result)
    table = TABLES["events"]
    columns = ", ".join(f'"{name}"' for name in table.schema.names)
    rows = f"(SELECT * FROM {parquet(*(shard.folder / EVENTS for shard in shards))})"
    write_parquet(result / EVENTS, table.schema, engine.ordered(columns, rows, table.order))
    return found
