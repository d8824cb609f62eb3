"""Examples say what was wished, and never call something wrong that was asked for."""

from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.settings import ModelSettings, write_settings
from model_image.training.data import near
from model_image.training.data.engine import Engine
from model_image.training.data.negatives import Negatives
from model_image.training.dataset import EXAMPLES


def _judged(shop: Any) -> Any:
    shop.products(8).table("queries", "query_id query", ("7", "红茶 tea"), ("9", "cup"))
    rows = [("7", "p0", 3), ("7", "p1", 2), ("7", "p2", 1), ("7", "p3", 0), ("9", "p4", 3), ("9", "p0", 3)]
    return shop.table("judgments", "query_id product_id grade", *rows)


def test_grades_become_what_was_wished(shop: Any, rows: Any) -> None:
    found = rows(_judged(shop).prepare().examples("rank"))
    assert sorted(
        ((row["query"], row["text"], row["wished"], row["group"]) for row in found), key=lambda row: (row[3], row[1])
    ) == [
        ("红茶 tea", "商品 title 0. kind 0", 1.0, 0),
        ("红茶 tea", "商品 title 1. kind 1", 0.4, 0),
        ("红茶 tea", "商品 title 2. kind 0", 0.1, 0),
        ("红茶 tea", "商品 title 3. kind 1", 0.0, 0),
        ("cup", "商品 title 0. kind 0", 1.0, 1),
        ("cup", "商品 title 4. kind 0", 1.0, 1),
    ]


def test_every_table_of_examples_has_its_columns_and_two_splits_at_most(shop: Any, rows: Any) -> None:
    _judged(shop).table("classify", "text label", ("好", "x"), ("bad", "y")).table(
        "regress", "text value", ("好", 1), ("b", 2)
    )
    done = shop.prepare()
    for task, columns in EXAMPLES.items():
        for row in rows(done.examples(task)):
            assert set(row) == {*columns, "split"}
            assert row["split"] in ("train", "valid")


def test_only_the_best_grade_is_a_positive_and_no_relevant_product_a_negative(shop: Any, rows: Any) -> None:
    found = sorted(rows(_judged(shop).prepare(negatives=20).examples("retrieve")), key=itemgetter("query", "text"))
    assert [(row["query"], row["text"]) for row in found] == [
        ("cup", "商品 title 0. kind 0"),
        ("cup", "商品 title 4. kind 0"),
        ("红茶 tea", "商品 title 0. kind 0"),
    ]
    assert [row["weight"] for row in found] == pytest.approx([2 / 3, 1 / 3, 2 / 3])
    for row in found:
        relevant = {0, 1, 2} if row["query"] == "红茶 tea" else {0, 4}
        assert not {f"商品 title {at}. kind {at % 2}" for at in relevant} & set(row["negatives"])
        assert len(row["negatives"]) == len(set(row["negatives"])) > 0
    assert "商品 title 3. kind 1" in found[2]["negatives"]


def test_pairs_go_from_a_basket_to_the_next_of_the_same_user_alone(shop: Any, rows: Any) -> None:
    events = [
        ("a", "p0", "01"),
        ("a", "p1", "01"),
        ("a", "p2", "05"),
        ("a", "p3", "09"),
        ("b", "p4", "05"),
        ("b", "p4", "07"),
    ]
    events += [("c", "p5", "02"), ("c", "p6", "03")]
    table = [(user, product, f"2026-01-{day}", "view" if user == "c" else "buy") for user, product, day in events]
    shop.products(8).table("events", "user_id product_id time action", *table)
    from datetime import datetime

    done = shop.prepare(unseen_percent=0, purchase="buy", cut=datetime(2026, 2, 1))
    assert sorted((row["query"], row["text"][:10]) for row in rows(done.examples("retrieve"))) == [
        ("商品 title 0", "商品 title 2"[:10]),
        ("商品 title 1", "商品 title 2"[:10]),
        ("商品 title 2", "商品 title 3"[:10]),
    ]
    few = shop.prepare(unseen_percent=0, purchase="buy", cut=datetime(2026, 2, 1), pairs=1)
    assert len(rows(few.examples("retrieve"))) == 1
    none = shop.prepare(unseen_percent=0, purchase="rent", cut=datetime(2026, 2, 1))
    assert not none.has("examples/retrieve.parquet")


_NAMES = st.lists(st.sampled_from([f"文 {at}" for at in range(12)]), min_size=1, max_size=12)


@given(_NAMES, st.data(), st.integers(0, 6))
def test_a_negative_is_never_a_positive_nor_relevant_nor_twice(
    texts: list[str], data: st.DataObject, wanted: int
) -> None:
    positives = data.draw(st.lists(st.tuples(st.sampled_from(texts), st.sampled_from(["", "k0", "k1"])), min_size=1))
    relevant = data.draw(st.sets(st.sampled_from(texts)))
    users = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(texts), max_size=len(texts))))
    kinds = [f"k{at % 3}" if at % 3 < 2 else "" for at in range(len(texts))]
    places = data.draw(st.lists(st.integers(0, len(texts) - 1)))

    def drawn() -> list[list[str]]:
        source = Negatives(
            texts, kinds, users, wanted=wanted, seed=1, relevant={"q": relevant}, irrelevant={"q": texts[:2]}
        )
        return list(source.of_query("q", positives, places))

    for found in drawn():
        assert len(found) == len(set(found)) <= wanted
        assert not set(found) & (relevant | {text for text, _ in positives})
    assert drawn() == drawn()


def test_popular_products_are_drawn_more_often_and_unsold_ones_never() -> None:
    texts = [f"t{at}" for at in range(4)]
    source = Negatives(texts, [""] * 4, np.array([0, 1, 16, 0]), wanted=1, seed=0, relevant={}, irrelevant={})
    drawn = [text for at in range(400) for (text,) in source.of_query(f"q{at}", [("other", "")], [])]
    assert set(drawn) == {"t1", "t2"}
    assert 7 < drawn.count("t2") / drawn.count("t1") < 18 or drawn.count("t2") > drawn.count("t1")


def test_near_misses_of_the_current_model_leave_out_the_very_first(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    write_settings(tmp_path / "encoder", ModelSettings(head="embed", max_tokens=32, dimension=64))
    engine = Engine(tmp_path, "100MB")
    engine.rows("CREATE TABLE texts AS SELECT 'red cup ' || i AS text, i AS place FROM range(60) t(i)")
    engine.rows("CREATE TABLE positives AS SELECT 'red cup 7' AS query UNION ALL SELECT '茶'")
    near.find(engine, tmp_path / "encoder", backend="dummy")
    found = dict(engine.rows("SELECT query, places FROM near"))
    engine.close()
    assert set(found) == {"red cup 7", "茶"}
    assert 7 not in found["red cup 7"]
    assert all(len(set(places)) == 30 for places in found.values())
