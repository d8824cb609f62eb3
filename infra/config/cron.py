"""Cron fields of scheduled capacity. A pure check."""

import re
from typing import NamedTuple

# A number or a name, perhaps up to another one; or all of them. Then, perhaps, every how many of these.
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class _Field(NamedTuple):
    """`names` stand for `low` and what follows."""

    title: str
    low: int
    high: int
    names: tuple[str, ...] = ()


# Scheduled actions take the traditional fields (Auto Scaling user guide, "Recurring schedules"); 7 is a Sunday, too.
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)


def check_cron(text: str) -> None:
    """ValueError, with the field, unless AWS can read it: it would be refused only during an `up`."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError("five cron fields are needed: minute hour day-of-month month day-of-week, such as 0 6 27 11 *")
    for field, value in zip(_FIELDS, fields, strict=True):
        if not all(_fits(field, part) for part in value.split(",")):
            names = f", their names {field.names[0]} to {field.names[-1]}" if field.names else ""
            raise ValueError(
                f"{value!r} is no {field.title}: numbers from {field.low} to {field.high}{names}, ranges (a-b), lists "
                "(a,b), steps (*/n) or * are needed"
            )


def _fits(field: _Field, part: str) -> bool:
    match = _PART.fullmatch(part)
    if not match:
        return False
    first, last, step = match.groups()
    if step is not None and not 1 <= int(step) <= field.high:
        return False
    if first is None:
        return True
    low = _number(field, first)
    high = low if last is None else _number(field, last)
    # `5/10` is not everywhere read alike; a range says what is meant.
    return field.low <= low <= high <= field.high and (step is None or last is not None)


def _number(field: _Field, text: str) -> int:
    """-1 for what is neither a number nor a name."""
    if text.upper() in field.names:
        return field.low + field.names.index(text.upper())
    return int(text) if text.isdecimal() else -1
