import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from model_image.catalogue import Product
from model_image.signals.errors import SignalsError
from model_image.signals.lexical import FIELDS, K1, SEARCH_WEIGHTS, B, field_words
from model_image.signals.lexical_build import FILE, build_lexical, load_lexical, save_lexical

texts = st.lists(st.sampled_from(["red", "blue", "lamp", "desk", "鞋", "x1"]), max_size=6).map(" ".join)
catalogues = st.lists(st.tuples(texts, texts, texts, texts), min_size=1, max_size=8)
queries = st.lists(st.sampled_from(["red", "lamp", "鞋", "x1", "unknown"]), max_size=4)


def catalogue(rows: list[tuple[str, str, str, str]]) -> list[Product]:
    return [
        Product(product_id=str(at), title=title, brand=brand, category=category, description=description)
        for at, (title, brand, category, description) in enumerate(rows)
    ]


def naive(products: list[Product], query: list[str]) -> np.ndarray:
    """BM25 word by word as the formula is written."""
    held = [field_words(product) for product in products]
    scores = np.zeros((len(products), len(FIELDS)))
    for word in set(query):
        having = sum(any(word in fields[name] for name in FIELDS) for fields in held)
        rarity = math.log(1 + (len(products) - having + 0.5) / (having + 0.5))
        for column, name in enumerate(FIELDS):
            mean = sum(len(fields[name]) for fields in held) / len(held)
            for row, fields in enumerate(held):
                count = fields[name].count(word)
                if count:
                    scores[row, column] += (
                        rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * len(fields[name]) / mean))
                    )
    return scores


@settings(max_examples=60, deadline=None)
@given(catalogues, queries)
def test_scores_equal_the_formula_word_by_word(rows: list[tuple[str, str, str, str]], query: list[str]) -> None:
    products = catalogue(rows)
    found = build_lexical(products).scores(query, np.arange(len(products)))
    np.testing.assert_allclose(found, naive(products, query), rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(catalogues, queries, st.integers(1, 10))
def test_a_search_finds_the_best_of_those_scores_in_order(
    rows: list[tuple[str, str, str, str]], query: list[str], k: int
) -> None:
    products = catalogue(rows)
    found, scores = build_lexical(products).search(query, k)
    totals = naive(products, query) @ SEARCH_WEIGHTS
    assert len(found) == min(k, np.count_nonzero(totals))
    np.testing.assert_allclose(scores, np.sort(totals)[::-1][: len(found)], rtol=1e-5)
    np.testing.assert_allclose(totals[found], scores, rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(catalogues, queries)
def test_coverage_is_a_share_and_scores_stay_below_the_most(
    rows: list[tuple[str, str, str, str]], query: list[str]
) -> None:
    index = build_lexical(catalogue(rows))
    matches = index.matches(query, np.arange(len(index)))
    assert (matches.coverage >= 0).all()
    assert (matches.coverage <= 1 + 1e-6).all()
    assert (matches.coverage[:, 0] <= matches.coverage[:, 1] + 1e-6).all()
    assert (matches.scores <= matches.most + 1e-6).all()


def test_an_unknown_word_lowers_the_coverage() -> None:
    index = build_lexical(catalogue([("red lamp", "", "", ""), ("desk", "", "", "")]))
    assert index.matches(["red"], np.array([0])).coverage[0, 0] == pytest.approx(1)
    assert index.matches(["red", "zebra"], np.array([0])).coverage[0, 0] < 0.5


def test_a_saved_index_answers_as_the_built_one(tmp_path: Path) -> None:
    index = build_lexical(catalogue([("red lamp", "acme", "lights", "鞋"), ("desk", "", "", "red")]))
    save_lexical(index, tmp_path / "lexical")
    loaded = load_lexical(tmp_path / "lexical", rows=2)
    rows = np.arange(2)
    assert (loaded.scores(["red", "鞋"], rows) == index.scores(["red", "鞋"], rows)).all()
    assert loaded.bytes == index.bytes > 0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("title.rows", np.array([0, 9, 1], dtype=np.int32), "expected rows from 0 below 2"),
        ("title.weights", np.array([1, np.nan, 1], dtype=np.float32), "finite"),
        ("title.weights", np.array([1, 1], dtype=np.float32), "matching shapes"),
        ("hashes", np.array([3, 2, 1], dtype=np.int64), "hashes in order"),
    ],
)
def test_a_damaged_index_is_refused(tmp_path: Path, name: str, value: np.ndarray, said: str) -> None:
    save_lexical(build_lexical(catalogue([("red lamp", "", "", ""), ("desk", "", "", "")])), tmp_path)
    save_file({**load_file(tmp_path / FILE), name: value}, tmp_path / FILE)
    with pytest.raises(SignalsError, match=said):
        load_lexical(tmp_path, rows=2)


def test_an_index_of_another_catalogue_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SignalsError, match="not a lexical index"):
        load_lexical(tmp_path, rows=2)
    save_lexical(build_lexical(catalogue([("red", "", "", "")])), tmp_path)
    with pytest.raises(SignalsError, match="is of 1 products, the catalogue has 2"):
        load_lexical(tmp_path, rows=2)
