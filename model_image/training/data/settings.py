"""What a run of `prepare` is asked for, checked before the first row is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model_image.training.data.errors import InputError
from model_image.training.data.splits import FOLDS
from model_image.training.data.tables import TABLES


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`inputs` maps tables (keys of `tables.TABLES`) to a file, a folder or a pattern; `columns` maps tables to
    {our column: theirs}. Times are UTC without a zone. Raises `InputError`.

    `shard` (I, N) keeps the events whose row has a number that is I modulo N, and the products; all other tables are in
    shard 0. Cut and examples are for `merge` to make.
    """

    inputs: Mapping[str, str]
    target: Path
    now: datetime
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    action: str = "purchase"
    purchase: str = "purchase"
    cut: datetime | None = None
    unseen_percent: int = 20
    hold_fold: int | None = None
    most_refused: float = 5.0
    seed: int = 0
    negatives: int = 4
    pairs: int = 50
    model: Path | None = None
    shard: tuple[int, int] = (0, 1)
    memory: str = "2GB"

    def __post_init__(self) -> None:
        index, of = self.shard
        if not self.inputs:
            raise InputError("inputs: none given, expected at least one table")
        for table in (*self.inputs, *self.columns):
            if table not in TABLES:
                raise InputError(f"{table}: no table of that name, expected some of {', '.join(TABLES)}")
        for table, renamed in self.columns.items():
            for column in renamed.keys() - set(TABLES[table].columns):
                ours = ", ".join(TABLES[table].columns)
                raise InputError(f"columns: {table} has no column {column!r} of ours, expected some of {ours}")
        for table in ("events", "queries", "judgments"):
            if table in self.inputs and "products" not in self.inputs:
                raise InputError(f"{table}: given without a catalogue, whose products it names; pass --catalogue")
        if "judgments" in self.inputs and "queries" not in self.inputs:
            raise InputError("judgments: given without the queries they judge; pass --queries")
        if not 0 <= index < of:
            raise InputError(f"shard: {index}/{of}, expected I/N with I from 0 to N - 1")
        if of > 1 and self.model is not None:
            raise InputError(f"model: {self.model} is given to a shard, which has no examples; pass --model to --merge")
        if self.model is not None and not self.model.is_dir():
            raise InputError(f"model: {self.model} is no folder, expected encoder/ of a release")
        if not re.fullmatch(r"[1-9]\d*(\.\d+)?\s*[KMGT]i?B", self.memory):
            raise InputError(f"memory: {self.memory!r}, expected a number and a unit such as 2GB")
        self._within("unseen_percent", 0, 99)
        self._within("most_refused", 0, 100)
        self._within("negatives", 0, 64)
        self._within("pairs", 0, 100_000)
        if self.hold_fold is not None:
            self._within("hold_fold", 0, FOLDS - 1)

    def _within(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise InputError(f"{name}: {value}, expected a number from {low} to {high}")

    def described(self) -> dict[str, Any]:
        """All that the result depends on beside the inputs, the model, the key, the code and `now`, by which events are
        in the future: the files that came of it are in the revision."""
        names = ("action", "purchase", "unseen_percent", "hold_fold", "most_refused", "seed", "negatives", "pairs")
        found = {name: getattr(self, name) for name in names}
        columns = {table: dict(sorted(renamed.items())) for table, renamed in sorted(self.columns.items())}
        return found | {"columns": columns, "cut": self.cut and self.cut.isoformat(), "shard": list(self.shard)}


def settings_of(described: Mapping[str, Any], **others: Any) -> Settings:
    """Of all shards together what `described` said of one, with the `others`, of which it says nothing.

    Raises `InputError`.
    """
    cut = described["cut"] and datetime.fromisoformat(described["cut"])
    return Settings(**{**described, **others, "cut": cut, "shard": (0, 1)})


def utc(text: str) -> datetime:
    """A time in ISO 8601, taken as UTC where it has no zone, without one. Raises `InputError`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"time: {text!r}, expected ISO 8601 such as 2026-08-01 or 2026-08-01T12:00:00Z") from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
