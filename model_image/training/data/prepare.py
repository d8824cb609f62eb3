"""The whole of it, top to bottom: check each table, cut, make examples, describe, publish."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow

from model_image.training.data import examples, functions, learnable, shards, splits
from model_image.training.data.checked import check
from model_image.training.data.engine import Engine
from model_image.training.data.errors import InputError, RunError
from model_image.training.data.manifest import seal
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.settings import Settings
from model_image.training.data.shards import Shard
from model_image.training.data.tables import TABLES
from model_image.training.data.workfolder import WorkFolder, work_folder
from model_image.training.dataset import EXAMPLES, REFUSED, Prepared, TableCount

Note = Callable[[str], None]
_LABELS = {"classify": "label", "regress": "value"}
_MADE_OF = {"rank": ("judgments",), "retrieve": ("judgments", "events")}
_MISSING = {
    "rank": "no judgment of a query that may be learnt from; see --hold-fold and --shard",
    "retrieve": "no grade 3, and no user who bought on two days before the cut; see --cut, --purchase and --action",
}


def prepare(settings: Settings, pseudonyms: Pseudonyms | None, note: Note = lambda _: None) -> Prepared:
    """Make the prepared folder `settings.target`; returns what prepared.json says. `note` is told the progress.

    Raises `InputError` for the tables, `RunError` for the machine; then there is no folder.
    """
    if "events" in settings.inputs and pseudonyms is None:
        raise InputError("events: given without a key for the names of users; pass --key-file, --new-key makes one")
    files = {name: shards.find(name, settings.inputs[name], note) for name in TABLES if name in settings.inputs}
    try:
        with work_folder(settings.target) as work:
            return _filled(work, files, settings, pseudonyms, note)
    except (OSError, pyarrow.ArrowException, duckdb.Error) as error:
        raise RunError(f"{settings.target}: nothing was published ({error})") from error


def _filled(
    work: WorkFolder,
    files: Mapping[str, Sequence[Shard]],
    settings: Settings,
    pseudonyms: Pseudonyms | None,
    note: Note,
) -> Prepared:
    for folder in ("examples", REFUSED):
        (work.result / folder).mkdir()
    engine = Engine(work.scratch, settings.memory)
    try:
        scrubbed = functions.define(engine, pseudonyms, settings.seed)
        counts, found = _checked(engine, work, files, settings, scrubbed, note)
        cut = _cut(engine, settings, note) if "events" in counts else None
        learnable.define(engine, frozenset(counts), settings, cut)
        _examples(engine, work.result / "examples", frozenset(counts), settings, note)
    finally:
        engine.close()
    for folder in ("examples", REFUSED):
        if not any((work.result / folder).iterdir()):
            (work.result / folder).rmdir()
    return seal(work.result, settings, files, counts, cut, found)


def _checked(
    engine: Engine,
    work: WorkFolder,
    files: Mapping[str, Sequence[Shard]],
    settings: Settings,
    scrubbed: Counter[str],
    note: Note,
) -> tuple[dict[str, TableCount], dict[str, dict[str, int]]]:
    """Counts by table, and what was scrubbed of each."""
    counts: dict[str, TableCount] = {}
    found: dict[str, dict[str, int]] = {}
    for name, table in files.items():
        if name in _LABELS and settings.shard[0]:
            continue  # without users: shard 0 has it
        path = f"examples/{name}.parquet" if name in _LABELS else ""
        extra = {"fold": "fold_of(query)"} if name == "queries" else {"split": "part(words(text))"}
        count = check(engine, name, table, settings, work.result, work.scratch, path=path, extra=extra)
        counts[name] = count
        note(f"{name}: {count.read:,} rows read, {count.kept:,} kept")
        for rule, rows in count.refused.items():
            note(f"  put aside: {rows:,} {rule}")
        if scrubbed:
            found[name] = dict(sorted(scrubbed.items()))
            note("  taken out of texts: " + ", ".join(f"{times:,} {what}" for what, times in found[name].items()))
            scrubbed.clear()
        if name in _LABELS:
            _vary(engine, name)
    return counts, found


def _vary(engine: Engine, name: str) -> None:
    column = _LABELS[name]
    low, high = engine.rows(f'SELECT min("{column}"), max("{column}") FROM {name}')[0]
    if low == high:
        raise InputError(f"{name}: every {column} is {low!r}, expected two or more; there is nothing to learn")


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


def _examples(engine: Engine, folder: Path, tables: frozenset[str], settings: Settings, note: Note) -> None:
    for task in EXAMPLES:
        path = folder / f"{task}.parquet"
        rows, able = 0, True
        if task == "rank" and "judgments" in tables:
            rows = examples.write_rank(engine, path)
        elif task == "retrieve" and "products" in tables:
            rows = examples.write_retrieve(engine, path, settings)
        else:
            able = False
        if rows:
            note(f"examples of {task}: {rows:,}")
        elif task not in _LABELS:
            path.unlink(missing_ok=True)
            if able and not tables.isdisjoint(_MADE_OF[task]):
                note(f"  warning: no examples of {task}: {_MISSING[task]}")
