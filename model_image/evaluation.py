"""What was measured of a release, as the registry keeps it and the promotion gate reads it. Pure; needs no torch."""

from pathlib import Path
from typing import Literal

import msgspec

SCHEMA = 1


class EvaluationError(Exception):
    """The file is no evaluation of this schema; the message names it."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A mean with its 95 % bootstrap interval over `count` queries, users or texts. `low` <= `value` <= `high`."""

    value: float
    low: float
    high: float
    count: int


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One metric ("ndcg@10") of one task ("search") on one segment ("all", "tail", "user=new").

    `better` is the direction. The gate looks at those that are `guarded`; the others are reported.
    """

    task: str
    metric: str
    segment: str
    better: Literal["higher", "lower"]
    guarded: bool
    estimate: Estimate


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Differences to `other`, candidate minus other, paired over the same queries or users.

    `other` is the digest of a release or the name of a baseline ("popularity", "bm25").
    """

    other: str
    differences: tuple[Measure, ...]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured in one go, on the data of `data_revision`.

    `latency_ms` is the median of one request by task, `other_latency_ms` the same of the releases compared with, by
    digest, on the same machine in the same minute.
    """

    schema: int
    data_revision: str
    created: str
    measures: tuple[Measure, ...]
    comparisons: tuple[Comparison, ...] = ()
    latency_ms: dict[str, float] = {}
    other_latency_ms: dict[str, dict[str, float]] = {}

    def compared_with(self, other: str) -> Comparison | None:
        """The comparison with this release or baseline, if it was made."""
        return next((found for found in self.comparisons if found.other == other), None)


def encode(evaluation: Evaluation) -> bytes:
    """The stored form."""
    return msgspec.json.format(msgspec.json.encode(evaluation), indent=1) + b"\n"


def decode(data: bytes, place: str | Path) -> Evaluation:
    """Inverse of `encode`; `place` is for the message. Raises `EvaluationError`."""
    try:
        found = msgspec.json.decode(data, type=Evaluation)
    except msgspec.MsgspecError as error:
        raise EvaluationError(f"{place}: {error}") from error
    if found.schema != SCHEMA:
        raise EvaluationError(f"{place}: schema is {found.schema}, this version reads {SCHEMA}; evaluate again")
    return found
