"""The folder that `data` writes and everything after it reads: checked tables in Parquet and what is said of them.

prepared.json        what they were made from and what was put aside; written last, a folder without it does not exist
products.parquet     product_id, title, brand, color, category, description, bullet_points: text, '' where absent;
                     price: double or null; tags: list of text
events.parquet       user: text (the keyed hash, 32 hex digits), product_id, action: text; time: timestamp in
                     microseconds UTC; quantity: double, 1 where absent; price: double or null; ordered by time and user
queries.parquet      query_id, query: text; fold: int 0 to 4
judgments.parquet    query_id, product_id: text; grade: int 0 (irrelevant) to 3 (exact)
examples/<task>.parquet   what `train` learns from, see EXAMPLES; ordered by a hash
refused/<table>.parquet   place, rule, column, value: rows that were put aside, and why

Tables that were not given are not there. No user of events is in the clear anywhere.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

PREPARED = "prepared.json"
PRODUCTS = "products.parquet"
EVENTS = "events.parquet"
QUERIES = "queries.parquet"
JUDGMENTS = "judgments.parquet"
REFUSED = "refused"
SCHEMA = 1

EXAMPLES = {
    "rank": ("query", "text", "wished", "group"),
    "retrieve": ("query", "text", "negatives", "weight"),
    "classify": ("text", "label"),
    "regress": ("text", "value"),
}
"""Columns of examples/<task>.parquet beside `split`, which is "train", "valid" (chooses the weights) or, in classify
and regress, "test" (measures them). rank: `wished` is the probability (0 to 1) that the text is what
was asked for, `group` the number of the query among those here. retrieve: `negatives` is a list of texts or null,
`weight` the share of all positives that this text is (above 0, at most 1), for the correction of in-batch negatives.
classify and regress: one text with its label or value."""


class DatasetError(Exception):
    """The folder is not a prepared dataset, or not the one its manifest describes; the message names the way out."""


class TableCount(msgspec.Struct, frozen=True, kw_only=True):
    """Rows read, kept and put aside of one table; `refused` counts the latter by rule."""

    read: int
    kept: int
    refused: dict[str, int]


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """`prepared.json`. `inputs` and `files` map names to sha256 in hex, `tables` names to counts.

    `cut` is the end of the history that may be learnt from: later events are targets. `unseen_percent` of the users,
    chosen by their hash, are in no training example at all, nor are the queries of `hold_fold`. `shard` is [I, N]: of
    the events, those in rows numbered I modulo N are here. `scrubbed` counts placeholders by table and kind. `revision`
    names all of it: "sha256-..." of inputs, settings, code and files.

    Shards of one whole have the same `settings`, `code` (sha256) and `key` (the name that the key gives to nobody);
    folders of older versions lack these.
    `sealed` is the sha256 of all else that is said.
    """

    schema: int
    revision: str
    created: str
    inputs: dict[str, str]
    files: dict[str, str]
    tables: dict[str, TableCount]
    cut: datetime | None
    unseen_percent: int
    seed: int
    hold_fold: int | None = None
    shard: tuple[int, int] = (0, 1)
    scrubbed: dict[str, dict[str, int]] = {}
    settings: dict[str, Any] = {}
    code: str = ""
    key: str = ""
    sealed: str = ""


def read_prepared(folder: Path) -> Prepared:
    """What the manifest says, a shard's too, when all files it names are there. Raises `DatasetError`."""
    path = folder / PREPARED
    try:
        prepared = msgspec.json.decode(path.read_bytes(), type=Prepared)
    except FileNotFoundError as error:
        raise DatasetError(f"{path}: not there; prepare the data first (scripts/prepare)") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise DatasetError(f"{path}: {error}; prepare the data again") from error
    if prepared.schema != SCHEMA:
        raise DatasetError(f"{path}: schema is {prepared.schema}, this version reads {SCHEMA}; prepare again")
    for name in prepared.files:
        if not (folder / name).is_file():
            raise DatasetError(f"{folder / name}: missing, but {PREPARED} has it; prepare the data again")
    return prepared


class Dataset:
    """A prepared folder; opening checks that the manifest and all files it names are there.

    A shard is none: what would be learnt from it, or measured on it, were a part of every user's events.
    """

    def __init__(self, folder: Path) -> None:
        """Raises `DatasetError`."""
        self.folder = folder
        self.prepared = read_prepared(folder)
        index, of = self.prepared.shard
        if of > 1:
            raise DatasetError(
                f"{folder}: is shard {index} of {of}, expected a whole; put all {of} together (scripts/prepare --merge)"
            )

    @property
    def purchase(self) -> str:
        """The action of events that makes a basket."""
        return str(self.prepared.settings.get("purchase", "purchase"))

    def has(self, table: str) -> bool:
        """Whether `table`, one of the names above, was given."""
        return table in self.prepared.files

    def path(self, table: str) -> Path:
        """Where `table` is. Raises `DatasetError` when it was not given."""
        if not self.has(table):
            raise DatasetError(f"{self.folder}: has no {table}; prepare it with the file that holds it")
        return self.folder / table

    def examples(self, task: str) -> Path:
        """Where the examples of `task`, a key of EXAMPLES, are. Raises `DatasetError`."""
        return self.path(f"examples/{task}.parquet")
