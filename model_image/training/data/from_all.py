"""What is made of all events together, from checked tables: the cut, and the examples of queries and purchases."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from model_image.training.data import examples, learnable, splits
from model_image.training.data.engine import Engine
from model_image.training.data.errors import InputError
from model_image.training.data.settings import Settings

Note = Callable[[str], None]
_MADE_OF = {"rank": ("judgments",), "retrieve": ("judgments", "events")}
_MISSING = {
    "rank": "no judgment of a query that may be learnt from; see --hold-fold",
    "retrieve": "no grade 3, and no user who bought on two days before the cut; see --cut, --purchase and --action",
}


def finish(
    engine: Engine, result: Path, tables: frozenset[str], settings: Settings, note: Note = lambda _: None
) -> datetime | None:
    """Write examples/ in `result` of the engine's views `tables`; returns the cut, None without events.

    Raises `InputError` for a cut that leaves nothing to learn from.
    """
    cut = _cut(engine, settings, note) if "events" in tables else None
    learnable.define(engine, tables, settings, cut)
    folder = result / "examples"
    folder.mkdir(exist_ok=True)
    for task, sources in _MADE_OF.items():
        path = folder / f"{task}.parquet"
        if tables.isdisjoint(sources):
            continue
        rows = examples.write_rank(engine, path) if task == "rank" else examples.write_retrieve(engine, path, settings)
        if rows:
            note(f"examples of {task}: {rows:,}")
        else:
            path.unlink(missing_ok=True)
            note(f"  warning: no examples of {task}: {_MISSING[task]}")
    if not any(folder.iterdir()):
        folder.rmdir()
    return cut


def _cut(engine: Engine, settings: Settings, note: Note) -> datetime:
    share = f'quantile_disc("time", {splits.HISTORY})::TIMESTAMP'
    first, at, last = engine.rows(f'SELECT min("time")::TIMESTAMP, {share}, max("time")::TIMESTAMP FROM events')[0]
    cut = settings.cut or splits.default_cut(first, at, last)
    if cut is None or cut <= first:
        raise InputError(f"cut: {cut}, expected a time after the first event, {first}; pass --cut")
    learnt = engine.rows('SELECT count(*) FROM events WHERE "time" < ?', [cut.replace(tzinfo=UTC)])[0][0]
    note(f"cut: {cut}, {learnt:,} events before it")
    if cut > last:
        note(f"  warning: the last event is of {last}: there is no target to measure on; pass an earlier --cut")
    return cut
