"""What a row must keep to. A row that breaks a rule is put aside and counted under the rule's name.

A text above 100,000 characters is refused, not cut: at that length it is a quote that was never closed or a file
pasted into a form, and what is kept is never changed in silence.
"""

from dataclasses import dataclass

MOST_ID = 200
MOST_TEXT = 100_000


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`bad` is SQL over a row, true where the rule is broken. What is `expected` in good data (returned goods, users
    without a name) does not count against the share of rows that may be refused."""

    name: str
    column: str
    bad: str
    expected: bool = False


UNREADABLE = "unreadable row"
"""Of a CSV, one line: too few or too many columns, a quote left open in the last one, bytes that are not UTF-8."""


def identifiers(column: str) -> tuple[Rule, ...]:
    """Present, not too long, printable."""
    return (
        Rule(name=f"no {column}", column=column, bad=f"raw_{column} = ''"),
        Rule(name=f"{column} too long", column=column, bad=f"length(raw_{column}) > {MOST_ID}"),
        Rule(name=f"line break in {column}", column=column, bad=f"regexp_matches(raw_{column}, '[\\r\\n]')"),
        Rule(name=f"{column} unprintable", column=column, bad=f"regexp_matches(raw_{column}, '[[:cntrl:]]')"),
    )


def text(column: str, *, required: bool = False, lines: bool = False) -> tuple[Rule, ...]:
    """Not too long, without NUL, present where required, and of one line unless it may have `lines`: in a CSV a line
    break in a name is a quote that was closed rows later."""
    broken = Rule(name=f"line break in {column}", column=column, bad=f"regexp_matches(raw_{column}, '[\\r\\n]')")
    present = (Rule(name=f"no {column}", column=column, bad=f"raw_{column} = ''"),) if required else ()
    return (
        *present,
        Rule(name=f"{column} too long", column=column, bad=f"length(raw_{column}) > {MOST_TEXT}"),
        Rule(name=f"{column} with NUL", column=column, bad=f"contains(raw_{column}, chr(0))"),
        *(() if lines else (broken,)),
    )


def number(column: str, *, least: float | None = None, required: bool = False) -> Rule:
    """A finite number of `least` or more; absent is allowed unless required."""
    below = f" OR {column} < {least}" if least is not None else ""
    given = "" if required else f"raw_{column} <> '' AND "
    bad = f"{given}({column} IS NULL OR NOT isfinite({column}){below})"
    return Rule(
        name=f"{column} no number" + (f" from {least:g} up" if least is not None else ""), column=column, bad=bad
    )


USER = (
    Rule(name="anonymous", column="user_id", bad="raw_user_id = ''", expected=True),
    Rule(name="user_id too long", column="user_id", bad=f"length(raw_user_id) > {MOST_ID}"),
    Rule(name="user_id unprintable", column="user_id", bad="regexp_matches(raw_user_id, '[[:cntrl:]]')"),
)
TIME = (
    Rule(name="time unreadable", column="time", bad='"time" IS NULL OR "time" < TIMESTAMP \'1970-01-01\''),
    Rule(name="time in the future", column="time", bad='"time" > $now + INTERVAL 1 DAY'),
)
RETURNED = Rule(name="returned", column="quantity", bad="quantity <= 0", expected=True)
GRADE = Rule(
    name="grade not 0 to 3", column="grade", bad="TRY_CAST(raw_grade AS DOUBLE) NOT IN (0, 1, 2, 3) IS NOT FALSE"
)
TAGS = Rule(
    name="tags too long or with NUL",
    column="tags",
    bad=f"length(array_to_string(raw_tags, '')) > {MOST_TEXT} OR contains(array_to_string(raw_tags, ''), chr(0))",
)


def unknown(column: str, table: str) -> Rule:
    """Of a checked table that was prepared before."""
    return Rule(name=f"unknown {column}", column=column, bad=f"{column} NOT IN (SELECT {column} FROM {table})")


def duplicate(*columns: str) -> Rule:
    """The first good row of an id stays."""
    by = ", ".join(columns)
    # Of ids alone: a window over whole rows would hold the texts of all of them.
    ranked = f"row_number() OVER (PARTITION BY {by} ORDER BY file, number) AS nth"
    later = f"SELECT file, number FROM (SELECT file, number, {ranked} FROM $table WHERE rule IS NULL) WHERE nth > 1"
    bad = f"(file, number) IN ({later})"
    return Rule(name=f"duplicate {columns[-1] if len(columns) == 1 else 'pair'}", column=columns[-1], bad=bad)
