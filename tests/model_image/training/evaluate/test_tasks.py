"""What is asked and what is true of a prepared dataset."""

import hashlib
from datetime import UTC, datetime

import pytest

from model_image.training.dataset import DatasetError
from model_image.training.evaluate import segments
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.purchase_task import purchase_task
from model_image.training.evaluate.search_task import search_task


def _user(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _event(name: str, product: str, month: int, day: int, hour: int = 9, action: str = "purchase") -> dict:
    time = datetime(2026, month, day, hour, tzinfo=UTC)
    return {"user": _user(name), "product_id": product, "action": action, "time": time, "quantity": 1.0}


def _part(task, name):
    return next(segment for segment in task.segments if segment.name == name)


def test_searching_asks_for_the_catalogue_and_reranking_for_what_was_judged(prepare):
    dataset = prepare()
    whole, judged = (search_task(dataset, whole_catalogue=whole) for whole in (True, False))
    assert (whole.name, judged.name) == ("search", "rerank")
    assert whole.asked["q0"] == ("red shoe", None)
    assert judged.asked["q0"].candidates == ("p0", "p1", "p2", "p3")
    assert whole.truth["q0"] == {"p0": 1.0, "p1": 0.1, "p2": 0.01, "p3": 0.0}


def test_a_fold_has_its_own_queries_alone(prepare):
    dataset = prepare()
    parts = [set(search_task(dataset, whole_catalogue=True, fold=fold).truth) for fold in range(5)]
    assert parts[0] == {"q0", "q5"}
    assert sum(map(len, parts)) == len(set.union(*parts)) == 8


def test_queries_are_parted_by_length_with_chinese_counted_by_characters(prepare):
    task = search_task(prepare(), whole_catalogue=True)
    assert set(_part(task, "query=5+ words").truth) == {"q5"}
    assert "q3" in _part(task, "query=1-2 words").truth
    assert segments._length("红色运动鞋 size 42") == 5


def test_a_query_belongs_to_the_category_of_its_exact_match(prepare):
    task = search_task(prepare(), whole_catalogue=True)
    assert set(_part(task, "category=Shoes").truth) == {"q0", "q1", "q5"}


def test_the_target_is_the_first_basket_after_the_cut_and_nothing_later(prepare):
    events = [
        _event("ann", "p0", 2, 1),
        _event("ann", "p1", 2, 27),
        _event("ann", "p0", 3, 2, 8),
        _event("ann", "p2", 3, 2, 20),
        _event("ann", "p3", 3, 3),
        _event("bob", "p1", 2, 2),
        _event("bob", "p2", 6, 20),
        _event("cid", "p4", 3, 4),
        _event("dan", "p5", 2, 3),
        _event("eve", "p1", 2, 2),
        _event("eve", "p6", 3, 1, 0),
        _event("eve", "p5", 2, 28, action="view"),
    ]
    task = purchase_task(prepare(events=events))
    assert task.truth == {_user("ann"): {"p0": 1.0, "p2": 1.0}, _user("eve"): {"p6": 1.0}}
    assert task.asked[_user("ann")].products == ("p0", "p1")
    assert task.asked[_user("ann")].ages == pytest.approx((27 + 15 / 24, 1 + 15 / 24))
    assert task.asked[_user("eve")].products == ("p1",)
    assert task.facts["users with a basket but no history, left out"] == "1"
    assert _part(task, "novel").truth[_user("ann")] == {"p2": 1.0}
    assert _part(task, "novel").hidden[_user("ann")] == {"p0", "p1"}
    assert _part(task, "repeat").truth == {_user("ann"): {"p0": 1.0}}
    assert set(_part(task, "cold").truth) == {_user("ann"), _user("eve")}


def test_new_and_seen_users_are_all_users_and_no_user_twice(prepare):
    task = purchase_task(prepare())
    new, seen = (set(_part(task, f"user={name}").truth) for name in ("new", "seen"))
    assert new | seen == set(task.truth)
    assert not new & seen
    assert new


def test_the_thirds_of_popularity_hold_a_third_of_the_events_each():
    counts = {"a": 30, "b": 15, "c": 15, "d": 10, "e": 10, "f": 10, "never": 0}
    truth = {"u": dict.fromkeys(counts, 1.0)}
    head, mid, tail = (set(part.truth["u"]) for part in segments.by_popularity(truth, counts))
    assert (head, mid) == ({"a"}, {"b", "c"})
    assert {"d", "e", "f"} <= tail


def test_units_without_a_relevant_product_are_not_in_a_products_segment():
    truth = {"u": {"a": 1.0, "b": 0.0}, "v": {"b": 1.0}}
    assert set(segments.of_products("b", truth, lambda _, product: product == "b").truth) == {"v"}


def test_a_dataset_that_cannot_be_asked_says_what_is_missing(prepare):
    with pytest.raises(MeasureError, match="--cut"):
        purchase_task(prepare(cut=None))
    with pytest.raises(MeasureError, match="nobody bought before 2026-03-01"):
        purchase_task(prepare(events=[_event("ann", "p0", 2, 1)]))
    with pytest.raises(DatasetError, match=r"has no judgments\.parquet"):
        search_task(prepare(judgments=None), whole_catalogue=True)
    with pytest.raises(MeasureError, match="no judged query in fold 4"):
        search_task(prepare(queries=[{"query_id": "q0", "query": "x", "fold": 0}]), whole_catalogue=True, fold=4)
    wrong = [{"query_id": "q0", "product_id": "p0", "grade": 7}]
    with pytest.raises(MeasureError, match="grade 7, expected 0 to 3"):
        search_task(prepare(judgments=wrong), whole_catalogue=True)
