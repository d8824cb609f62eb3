"""The order of examples, what of them validates, and the cut: each by a hash or a share, none by the alphabet."""

from datetime import datetime
from typing import Any

from model_image.training.dataset import EVENTS


def _bought(shop: Any, products: int, users: int, days: int) -> None:
    """User u bought product u + d on day d: many users have the same pairs."""
    rows = [
        (f"u{at}", f"p{(at + day) % products}", f"2026-01-{day + 1:02}") for at in range(users) for day in range(days)
    ]
    shop.products(products).table("events", "user_id product_id time", *rows)


def test_a_products_own_text_is_no_negative_of_its_title(shop: Any, rows: Any) -> None:
    _bought(shop, 12, 40, 8)
    found = rows(shop.prepare(negatives=12).examples("retrieve"))
    assert len(found) > 50
    for row in found:
        at = int(row["query"].rpartition(" ")[2])
        assert f"{row['query']}. kind {at % 2}" not in row["negatives"]


def test_no_pair_that_validates_is_learnt_from(shop: Any, rows: Any) -> None:
    _bought(shop, 40, 60, 8)
    found = rows(shop.prepare(unseen_percent=0).examples("retrieve"))
    parts = {
        part: {(row["query"], row["text"]) for row in found if row["split"] == part} for part in ("train", "valid")
    }
    assert parts["train"]
    assert not parts["train"] & parts["valid"]


def test_examples_are_mixed(shop: Any, rows: Any) -> None:
    """A tenth of the file, wherever it is, has many queries, and from all over the alphabet."""
    queries = [(f"{at:02}", f"{'abcdefghij'[at // 10]} tea {at}") for at in range(100)]
    judged = [(query, f"p{at}", at % 4) for query, _ in queries for at in range(10)]
    shop.products(10).table("queries", "query_id query", *queries).table(
        "judgments", "query_id product_id grade", *judged
    )
    shop.table("classify", "text label", *((text, int(at) % 2) for at, text in queries))
    done = shop.prepare()
    for task, column in (("rank", "query"), ("retrieve", "query"), ("classify", "text")):
        found = [row[column] for row in rows(done.examples(task))]
        part = len(found) // 5
        for start in range(0, part * 5, part):
            assert len({text[0] for text in found[start : start + part]}) >= 6, task


def test_one_event_of_a_wrong_year_leaves_the_cut(shop: Any) -> None:
    _bought(shop, 12, 10, 10)
    right = shop.prepare().prepared.cut
    assert right == datetime.fromisoformat("2026-01-09T00:00:00Z")
    path = shop.folder / "events.csv"
    path.write_text(path.read_text() + "u1,p1,1970-01-01\n")
    assert shop.prepare().prepared.cut == right


def test_a_cut_without_examples_or_targets_is_told(shop: Any) -> None:
    _bought(shop, 12, 10, 10)
    done = shop.prepare(cut=datetime(2026, 3, 1))
    assert done.has(EVENTS)
    assert any("there is no target to measure on; pass an earlier --cut" in note for note in shop.notes)
    shop.notes.clear()
    shop.prepare(cut=datetime(2026, 1, 2))
    assert any("no examples of retrieve" in note for note in shop.notes)
    shop.notes.clear()
    shop.prepare()
    assert not any("warning" in note for note in shop.notes)
