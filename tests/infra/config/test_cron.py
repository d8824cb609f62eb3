"""Promises of the calendar's cron fields: what AWS would refuse during an `up` is refused before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.cron import check_cron

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
PLACES = st.integers(min_value=0, max_value=len(FIELDS) - 1)


def with_field(place: int, value: str) -> str:
    return " ".join(value if index == place else "*" for index in range(len(FIELDS)))


@given(PLACES, st.data())
def test_every_number_range_list_and_step_inside_a_fields_bounds_is_taken(place: int, data: st.DataObject) -> None:
    low, high = RANGES[place]
    first = data.draw(st.integers(low, high))
    last = data.draw(st.integers(first, high))
    step = data.draw(st.integers(1, high))
    for value in (f"{first}", f"{first}-{last}", f"{first}-{last}/{step}", f"*/{step}", f"{last},{first}-{last}"):
        check_cron(with_field(place, value))


@given(PLACES, st.data())
def test_no_number_outside_a_fields_bounds_is_taken_wherever_it_stands(place: int, data: st.DataObject) -> None:
    low, high = RANGES[place]
    outside = data.draw(st.integers(high + 1, 10 * high) if low == 0 else st.just(0) | st.integers(high + 1, 10 * high))
    for value in (f"{outside}", f"{low},{outside}", f"{low}-{outside}" if outside > high else f"{outside}-{high}"):
        with pytest.raises(ValueError, match=rf"^'{value}' is no {FIELDS[place]}: numbers from {low} to {high}"):
            check_cron(with_field(place, value))


@pytest.mark.parametrize("text", ["0 6 27 11 *", "30 6 * NOV mon-fri", "0 0 1,15 * 7", "  0  0 1 12 * "])
def test_what_people_write_is_taken(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "a"),
        (0, "-1"),
        (0, "*/0"),
        (0, "*/60"),
        (0, "5/10"),
        (0, "30-10"),
        (0, "1,"),
        (0, "1-2-3"),
        (0, "**"),
        (0, "²"),
        (1, "NOV"),
        (2, "L"),
        (2, "?"),
        (3, "November"),
        (4, "NOV"),
        (4, "8"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(place: int, value: str) -> None:
    with pytest.raises(ValueError, match=f"is no {FIELDS[place]}: numbers from"):
        check_cron(with_field(place, value))


@pytest.mark.parametrize("text", ["", "0 6 27 11", "0 6 27 11 * *", "@daily"])
def test_another_number_of_fields_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="five cron fields are needed"):
        check_cron(text)
