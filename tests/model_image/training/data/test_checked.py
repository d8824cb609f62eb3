"""Each bad row is put aside under the rule it breaks, with its place; no other row is."""

from typing import Any

import pytest

from model_image.training.data.errors import InputError
from model_image.training.dataset import EVENTS, JUDGMENTS, PRODUCTS, QUERIES

_DAYS = [("u1", "p1", "2026-01-01", "1", "2"), ("u1", "p2", "2026-01-02", "", "")]
_EVENTS = "user_id product_id time quantity price"
_LONG = "文" * 100_001

_BAD_EVENTS = [
    (("u1", "", "2026-01-01", "1", "1"), "no product_id", "product_id", "(0 characters)"),
    (("u1", "p" * 201, "2026-01-01", "1", "1"), "product_id too long", "product_id", "(201 characters)"),
    (("u1", "p\x07", "2026-01-01", "1", "1"), "product_id unprintable", "product_id", "(2 characters)"),
    (("u1", "p99", "2026-01-01", "1", "1"), "unknown product_id", "product_id", "(3 characters)"),
    (("u1", "p1", "12/01/2026 8:26", "1", "1"), "time unreadable", "time", "12/01/2026 8:26"),
    (("u1", "p1", "1931-01-01", "1", "1"), "time unreadable", "time", "1931-01-01"),
    (("u1", "p1", "", "1", "1"), "time unreadable", "time", ""),
    (("u1", "p1", "2026-06-02T00:00:01", "1", "1"), "time in the future", "time", "2026-06-02T00:00:01"),
    (("u1", "p1", "infinity", "1", "1"), "time in the future", "time", "(8 characters)"),
    (("u1", "p1", "2026-01-01", "NaN", "1"), "quantity no number", "quantity", "NaN"),
    (("u1", "p1", "2026-01-01", "many", "1"), "quantity no number", "quantity", "(4 characters)"),
    (("u1", "p1", "2026-01-01", "0", "1"), "returned", "quantity", "0"),
    (("u1", "p1", "2026-01-01", "-3", "1"), "returned", "quantity", "-3"),
    (("u1", "p1", "2026-01-01", "1", "-0.01"), "price no number from 0 up", "price", "-0.01"),
    (("u1", "p1", "2026-01-01", "1", "nan"), "price no number from 0 up", "price", "nan"),
    (("u1", "p1", "2026-01-01", "1", "inf"), "price no number from 0 up", "price", "inf"),
    (("  ", "p1", "2026-01-01", "1", "1"), "anonymous", "user_id", "(0 characters)"),
    (("u" * 201, "p1", "2026-01-01", "1", "1"), "user_id too long", "user_id", "(201 characters)"),
    (("u\x00", "p1", "2026-01-01", "1", "1"), "user_id unprintable", "user_id", "(2 characters)"),
]


def test_every_bad_event_is_named_with_its_rule_and_no_good_one_is(shop: Any, rows: Any) -> None:
    done = shop.products().table("events", _EVENTS, *_DAYS, *(row for row, *_ in _BAD_EVENTS)).prepare()
    assert [tuple(row.values()) for row in rows(done.folder / "refused" / EVENTS)] == [
        (f"events.csv, row {at}", rule, column, value)
        for at, (_, rule, column, value) in enumerate(_BAD_EVENTS, start=3)
    ]
    count = done.prepared.tables["events"]
    assert (count.read, count.kept) == (len(_BAD_EVENTS) + 2, 2)
    assert sum(count.refused.values()) == len(_BAD_EVENTS)
    assert [row["quantity"] for row in rows(done.path(EVENTS))] == [1.0, 1.0]
    assert [row["price"] for row in rows(done.path(EVENTS))] == [2.0, None]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("p0", "again", "", ""), "duplicate product_id"),
        (("q", "", "", ""), "no title"),
        (("q", _LONG, "", ""), "title too long"),
        (("q", "nu\x00l", "", ""), "title with NUL"),
        (("q", "one\np1,two", "", ""), "line break in title"),
        (("q\np1", "t", "", ""), "line break in product_id"),
        (("q", "t", "kind\np1,two", ""), "line break in category"),
        (("q", "t", _LONG, ""), "category too long"),
        (("q", "t", "", "-1"), "price no number from 0 up"),
    ],
)
def test_a_bad_product_is_put_aside(shop: Any, rows: Any, row: tuple[str, ...], rule: str) -> None:
    done = shop.table("products", "product_id title category price", ("p0", "茶 tea", "", ""), row).prepare()
    assert done.prepared.tables["products"].refused == {rule: 1}
    assert [(row["product_id"], row["title"]) for row in rows(done.path(PRODUCTS))] == [("p0", "茶 tea")]


def test_the_first_good_row_of_an_id_stays(shop: Any, rows: Any) -> None:
    done = shop.table("products", "product_id title price", ("p", "bad", "nan"), ("p", "good", "1"), ("p", "late", "1"))
    done = done.prepare()
    assert [row["title"] for row in rows(done.path(PRODUCTS))] == ["good"]
    assert [row["place"] for row in rows(done.folder / "refused" / PRODUCTS)] == [
        "products.csv, row 1",
        "products.csv, row 3",
    ]


def test_judgments_of_unknown_things_and_grades_beyond_the_scale_are_put_aside(shop: Any, rows: Any) -> None:
    shop.products().table("queries", "query_id query", ("1", "红色 title"), ("1", "again"), ("2", " "), ("3", "tea"))
    bad = [("1", "p1", "4"), ("1", "p1", "1.5"), ("1", "p1", "E"), ("1", "p1", ""), ("1", "p9", "3"), ("2", "p1", "3")]
    shop.table("judgments", "query_id product_id grade", ("1", "p0", "3.0"), *bad, ("1", "p0", "0"), ("3", "p1", "0"))
    done = shop.prepare()
    assert done.prepared.tables["queries"].refused == {"duplicate query_id": 1, "no query": 1}
    assert done.prepared.tables["judgments"].refused == {
        "duplicate pair": 1,
        "grade not 0 to 3": 4,
        "unknown product_id": 1,
        "unknown query_id": 1,
    }
    assert [tuple(row.values()) for row in rows(done.path(JUDGMENTS))] == [("1", "p0", 3), ("3", "p1", 0)]
    assert [row["query"] for row in rows(done.path(QUERIES))] == ["红色 title", "tea"]


def test_more_refused_than_allowed_fails_with_counts_and_places_and_leaves_nothing(shop: Any) -> None:
    good = [("u", "p1", f"2026-01-{day:02}", "1", "1") for day in range(1, 20)]
    shop.products().table(
        "events", _EVENTS, *good, ("u", "p1", "never", "1", "1"), ("secret", "p9", "2026-01-01", "1", "1")
    )
    with pytest.raises(InputError, match=r"events: 2 of 21 rows refused, 19 left, expected at most 9 %") as caught:
        shop.prepare(most_refused=9.0)
    assert "time unreadable: 1 (events.csv, row 20: '(5 characters)')" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert [path.name for path in shop.folder.iterdir() if path.suffix != ".csv"] == []
    shop.prepare(most_refused=10.0)


def test_returns_and_anonymous_rows_do_not_count_against_the_limit(shop: Any) -> None:
    aside = [("", "p1", "2026-01-01", "1", "1"), ("u", "p1", "2026-01-01", "-1", "1")] * 20
    done = shop.products().table("events", _EVENTS, *_DAYS, *aside).prepare(most_refused=0.0)
    assert done.prepared.tables["events"].refused == {"anonymous": 20, "returned": 20}


@pytest.mark.parametrize(
    ("name", "columns", "rows_", "told"),
    [
        ("classify", "text label", [("a", "x"), ("b", "x")], "classify: every label is 'x', expected two or more"),
        ("regress", "text value", [("a", "1"), ("b", "1.0")], "regress: every value is 1.0, expected two or more"),
        ("classify", "text label", [], "classify: no row"),
        ("classify", "text label", [("", "x"), ("b", "")], "classify: 2 of 2 rows refused, 0 left"),
        ("products", "product_id name", [("p", "t")], "no column 'title'; --column TABLE.title=THEIRS names it"),
    ],
)
def test_tables_with_nothing_to_learn_are_refused(shop: Any, name: str, columns: str, rows_: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        shop.table(name, columns, *rows_).prepare()
    assert told in str(caught.value)


def test_times_of_every_kind_are_one_time_in_utc(shop: Any, rows: Any) -> None:
    same = ["2026-01-02T03:04:05Z", "2026-01-02 11:04:05+08:00", "1767323045", "1767323045000", "1767323045000000"]
    days = [("u", "p1", text) for text in [*same, "2026-01-09"]]
    done = shop.products().table("events", "user_id product_id time", *days).prepare()
    assert {str(row["time"]) for row in rows(done.path(EVENTS))} == {
        "2026-01-02 03:04:05+00:00",
        "2026-01-09 00:00:00+00:00",
    }
