"""The whole of it, top to bottom: check each table, cut, make examples, describe, publish.

A shard ends after the checks; `merge` goes on from there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import duckdb
import pyarrow

from model_image.training.data import from_all, functions, manifest, refused, tablefile
from model_image.training.data.checked import LABELS, check
from model_image.training.data.engine import Engine
from model_image.training.data.errors import InputError, RunError
from model_image.training.data.from_all import Note
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.settings import Settings
from model_image.training.data.tablefile import TableFile
from model_image.training.data.tables import TABLES
from model_image.training.data.workfolder import WorkFolder, work_folder
from model_image.training.dataset import Prepared, TableCount


def prepare(settings: Settings, pseudonyms: Pseudonyms | None, note: Note = lambda _: None) -> Prepared:
    """Make the prepared folder `settings.target`; returns what prepared.json says. `note` is told the progress.

    Raises `InputError` for the tables, `RunError` for the machine; then there is no folder.
    """
    if "events" in settings.inputs and pseudonyms is None:
        raise InputError("events: given without a key for the names of users; pass --key-file, --new-key makes one")
    files = {name: tablefile.find(name, settings.inputs[name], note) for name in TABLES if name in settings.inputs}
    try:
        with work_folder(settings.target) as work:
            return _filled(work, files, settings, pseudonyms, note)
    except (OSError, pyarrow.ArrowException, duckdb.Error) as error:
        raise RunError(f"{settings.target}: nothing was published ({error})") from error


def _filled(
    work: WorkFolder,
    files: Mapping[str, Sequence[TableFile]],
    settings: Settings,
    pseudonyms: Pseudonyms | None,
    note: Note,
) -> Prepared:
    index, of = settings.shard
    cut = None
    engine = Engine(work.scratch, settings.memory)
    try:
        scrubbed = functions.define(engine, pseudonyms, settings.seed)
        counts, found = _checked(engine, work, files, settings, scrubbed, note)
        if of == 1:
            cut = from_all.finish(engine, work.result, frozenset(counts), settings, note)
        else:
            note(f"shard {index} of {of}: learnt from and measured on when --merge has put all {of} together")
    finally:
        engine.close()
    return manifest.seal(
        work.result,
        settings,
        inputs=manifest.inputs(files) | manifest.model_inputs(settings.model),
        tables=counts,
        cut=cut,
        scrubbed=found,
        key=manifest.key_mark(pseudonyms),
    )


def _checked(
    engine: Engine,
    work: WorkFolder,
    files: Mapping[str, Sequence[TableFile]],
    settings: Settings,
    scrubbed: Counter[str],
    note: Note,
) -> tuple[dict[str, TableCount], dict[str, dict[str, int]]]:
    """Counts by table, and what was scrubbed of each."""
    counts: dict[str, TableCount] = {}
    found: dict[str, dict[str, int]] = {}
    for name, table in files.items():
        if settings.shard[0] and name not in ("products", "events"):
            continue  # shard 0 has it; every one has the products, since events name them
        extra = {"fold": "fold_of(query)"} if name == "queries" else {"split": "labelled_part(words(text))"}
        count = check(engine, name, table, settings, work.result, work.scratch, extra=extra)
        counts[name] = count
        tell(name, count, settings.most_refused, note)
        if scrubbed:
            found[name] = dict(sorted(scrubbed.items()))
            note("  taken out of texts: " + ", ".join(f"{times:,} {what}" for what, times in found[name].items()))
            scrubbed.clear()
        if name in LABELS:
            _vary(engine, name)
    return counts, found


def tell(name: str, count: TableCount, most_refused: float, note: Note) -> None:
    """Say what was read, kept and put aside of a table."""
    note(f"{name}: {count.read:,} rows read, {count.kept:,} kept")
    for rule, rows in count.refused.items():
        note(f"  put aside: {rows:,} {rule}")
    if refused.too_many(name, count, most_refused):  # of a shard, for else it was refused
        told = "--merge fails where it is so of all shards together"
        note(f"  warning: none is left or above {most_refused:g} % are refused; {told}")


def _vary(engine: Engine, name: str) -> None:
    column = LABELS[name]
    low, high = engine.rows(f'SELECT min("{column}"), max("{column}") FROM {name}')[0]
    if low == high:
        raise InputError(f"{name}: every {column} is {low!r}, expected two or more; there is nothing to learn")
