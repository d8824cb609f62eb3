"""The tables that may be given: their columns, rules and what is written of them.

`parsed` is SQL from the trimmed text raw_<column> to the value that is kept; the functions pseudonym and scrubbed are
Python's. Files are read in this order, since later ones name rows of earlier ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow

from model_image.catalogue import TEXTS
from model_image.training.data import rules
from model_image.training.data.rules import Rule

_TEXT, _NUMBER = pyarrow.string(), pyarrow.float64()
_LINES = ("description", "bullet_points")
_TIME = """CASE WHEN regexp_full_match(raw_time, '[0-9]{9,17}') THEN make_timestamp(raw_time::BIGINT * CASE
    WHEN length(raw_time) < 12 THEN 1000000 WHEN length(raw_time) < 15 THEN 1000 ELSE 1 END)
    ELSE TRY_CAST(raw_time AS TIMESTAMPTZ)::TIMESTAMP END"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """`rules` look at one row, `across` at the table or at others. Of a table with a `private` column nothing is shown
    that may be a user's id, of one with a `free` column only what `scrubbed` leaves.

    Examples are in the order of a hash, so that a window of them, wherever it starts, is a sample of all."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    parsed: Mapping[str, str]
    rules: tuple[Rule, ...]
    across: tuple[Rule, ...] = ()
    order: str
    schema: pyarrow.Schema = field(repr=False)
    private: str = ""
    free: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return self.required + self.optional


def _double(column: str) -> str:
    return f"TRY_CAST(raw_{column} AS DOUBLE)"


def _as_given(*columns: str) -> dict[str, str]:
    return {column: f"raw_{column}" for column in columns}


def _scrubbed(column: str) -> str:
    """Not of what is refused for its length: it may be a whole file."""
    return f"CASE WHEN length(raw_{column}) > {rules.MOST_TEXT} THEN '' ELSE scrubbed(raw_{column}) END"


TABLES: dict[str, Table] = {
    "products": Table(
        required=("product_id", "title"),
        optional=(*TEXTS, "price", "tags"),
        parsed=_as_given("product_id", "title", *TEXTS) | {"price": _double("price"), "tags": "raw_tags"},
        rules=(
            *rules.identifiers("product_id"),
            *rules.text("title", required=True),
            *(rule for name in TEXTS for rule in rules.text(name, lines=name in _LINES)),
            rules.number("price", least=0),
            rules.TAGS,
        ),
        across=(rules.duplicate("product_id"),),
        order="product_id",
        schema=pyarrow.schema(
            [
                *((name, _TEXT) for name in ("product_id", "title", *TEXTS)),
                ("price", _NUMBER),
                ("tags", pyarrow.list_(_TEXT)),
            ]
        ),
    ),
    "events": Table(
        required=("user_id", "product_id", "time"),
        optional=("action", "quantity", "price"),
        parsed={
            "user": "CASE WHEN raw_user_id = '' THEN repeat('0', 32) ELSE pseudonym(raw_user_id) END",
            "product_id": "raw_product_id",
            "action": "CASE WHEN raw_action = '' THEN $action ELSE raw_action END",
            "time": _TIME,
            "quantity": f"CASE WHEN raw_quantity = '' THEN 1.0 ELSE {_double('quantity')} END",
            "price": _double("price"),
        },
        rules=(
            *rules.identifiers("product_id"),
            *rules.TIME,
            rules.number("quantity"),
            rules.RETURNED,
            rules.number("price", least=0),
            rules.Rule(name="action too long", column="action", bad=f"length(raw_action) > {rules.MOST_ID}"),
            *rules.USER,
        ),
        across=(rules.unknown("product_id", "products"),),
        order='"time", "user", product_id, action, quantity, price',
        schema=pyarrow.schema(
            [
                *((name, _TEXT) for name in ("user", "product_id", "action")),
                ("time", pyarrow.timestamp("us", tz="UTC")),
                ("quantity", _NUMBER),
                ("price", _NUMBER),
            ]
        ),
        private="user_id",
    ),
    "queries": Table(
        required=("query_id", "query"),
        parsed=_as_given("query_id") | {"query": _scrubbed("query")},
        rules=(*rules.identifiers("query_id"), *rules.text("query", required=True)),
        across=(rules.duplicate("query_id"),),
        order="query_id",
        schema=pyarrow.schema([("query_id", _TEXT), ("query", _TEXT), ("fold", pyarrow.int64())]),
        free="query",
    ),
    "judgments": Table(
        required=("query_id", "product_id", "grade"),
        parsed=_as_given("query_id", "product_id") | {"grade": "TRY_CAST(TRY_CAST(raw_grade AS DOUBLE) AS BIGINT)"},
        rules=(*rules.identifiers("query_id"), *rules.identifiers("product_id"), rules.GRADE),
        across=(
            rules.unknown("query_id", "queries"),
            rules.unknown("product_id", "products"),
            rules.duplicate("query_id", "product_id"),
        ),
        order="query_id, product_id",
        schema=pyarrow.schema([("query_id", _TEXT), ("product_id", _TEXT), ("grade", pyarrow.int64())]),
    ),
    "classify": Table(
        required=("text", "label"),
        parsed={"text": _scrubbed("text"), "label": _scrubbed("label")},
        rules=(*rules.text("text", required=True, lines=True), *rules.identifiers("label")),
        order="md5(text), text, label",
        schema=pyarrow.schema([("text", _TEXT), ("label", _TEXT), ("split", _TEXT)]),
        free="text",
    ),
    "regress": Table(
        required=("text", "value"),
        parsed={"text": _scrubbed("text"), "value": _double("value")},
        rules=(*rules.text("text", required=True, lines=True), rules.number("value", required=True)),
        order="md5(text), text, value",
        schema=pyarrow.schema([("text", _TEXT), ("value", _NUMBER), ("split", _TEXT)]),
        free="text",
    ),
}
