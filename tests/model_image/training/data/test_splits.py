"""Splits depend on nothing but what they split, and near duplicates stay together."""

# ruff: noqa: RUF001 - full-width letters are what is tested

from datetime import datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.training.data import splits

_USER = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)


@given(_USER, st.integers(0, 99))
def test_sql_and_python_choose_the_same_users(user: str, percent: int) -> None:
    asked = splits.UNSEEN.format(percent=percent)
    found = duckdb.execute(f'SELECT {asked} FROM (SELECT ? AS "user")', [user]).fetchone()
    assert found == (splits.unseen(user, percent),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("red shoes", "Shoes RED"),
        ("red shoe", "red shoes!"),
        ("ＵＳＢ　线", "usb线"),
        ("红色 连衣裙", "连衣裙红色"),
        ("iPhone 15 手机壳", "手机壳 iphone 15"),
    ],
)
def test_near_duplicates_have_the_same_fold_and_part(one: str, other: str) -> None:
    assert splits.words(one) == splits.words(other)
    assert splits.fold(one) == splits.fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("red shoes", "red boots"), ("红裙", "白裙"), ("!!", "??"), ("size 4", "size 42")]
)
def test_others_have_words_of_their_own(one: str, other: str) -> None:
    assert splits.words(one) != splits.words(other)


def test_folds_and_parts_are_about_even() -> None:
    folds = [splits.fold(f"query {at}") for at in range(5000)]
    assert all(900 < folds.count(fold) < 1100 for fold in range(5))
    parts = [splits.part(f"group {at}", 0) for at in range(5000)]
    assert 400 < parts.count("valid") < 600
    assert parts != [splits.part(f"group {at}", 1) for at in range(5000)]


def test_labelled_texts_are_learnt_from_choose_or_test() -> None:
    texts = [f"text {at}" for at in range(5000)]
    parts = [splits.labelled_part(text, 3) for text in texts]
    assert all(400 < parts.count(name) < 600 for name in ("valid", "test"))
    assert [part == "valid" for part in parts] == [splits.part(text, 3) == "valid" for text in texts]


def test_the_cut_is_a_midnight_with_events_on_both_sides() -> None:
    first, last = datetime(2026, 1, 1, 9), datetime(2026, 1, 10, 9)
    assert splits.default_cut(first, datetime(2026, 1, 8, 9), last) == datetime(2026, 1, 9)
    assert splits.default_cut(first, last, last) == datetime(2026, 1, 10)
    assert splits.default_cut(datetime(1970, 1, 1), datetime(2026, 1, 8), last) == datetime(2026, 1, 9)
    assert splits.default_cut(first, first, datetime(2026, 1, 1, 10)) is None
