"""Nothing that is kept to measure on reaches an example: whatever it is changed to, the examples stay the same.

A stronger proof than looking for traces in them: an example that depended in any way on a target, on an unseen user or
on a held-out fold (through its text, its negatives, its weight or its order) would change with it.
"""

import random
from datetime import datetime
from pathlib import Path
from typing import Any

from model_image.training.data import splits
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.dataset import QUERIES

_KEY = bytes(range(32))
_CUT = datetime(2026, 1, 16)
_USERS = [f"user {at}" for at in range(30)]
_UNSEEN = {user for user in _USERS if splits.unseen(Pseudonyms(_KEY).of(user), 20)}
_QUERIES = [(str(at), f"红色 thing {at}") for at in range(40)]

Event = tuple[str, str, str]


def _events(seed: int) -> list[Event]:
    draw = random.Random(seed)
    return [
        (user, f"p{draw.randrange(30)}", f"2026-01-{day:02} {draw.randrange(24):02}:00")
        for user in _USERS
        for day in range(1, 31, 3)
        for _ in range(3)
    ]


def _kept_out(event: Event) -> bool:
    return event[0] in _UNSEEN or datetime.fromisoformat(event[2]) >= _CUT


def _judgments(seed: int) -> list[tuple[str, str, int]]:
    draw = random.Random(seed)
    return [(query, f"p{at}", draw.randrange(4)) for query, _ in _QUERIES for at in draw.sample(range(30), 8)]


def _bytes(shop: Any, events: list[Event], judgments: list[Any], fold: int | None = None) -> dict[str, bytes]:
    shop.products(30).table("events", "user_id product_id time", *events)
    shop.table("queries", "query_id query", *_QUERIES).table("judgments", "query_id product_id grade", *judgments)
    done = shop.prepare(key=_KEY, cut=_CUT, hold_fold=fold)
    return {path.name: path.read_bytes() for path in sorted((done.folder / "examples").iterdir())}


def test_the_data_has_something_of_each_kind() -> None:
    assert 2 < len(_UNSEEN) < 15
    assert any(map(_kept_out, _events(0)))
    assert not all(map(_kept_out, _events(0)))


def test_no_example_depends_on_a_target_or_on_an_unseen_user(shop: Any) -> None:
    first = _events(0)
    others = [event for event in first if not _kept_out(event)] + [event for event in _events(1) if _kept_out(event)]
    assert set(others) != set(first)
    assert _bytes(shop, others, _judgments(0)) == _bytes(shop, first, _judgments(0))


def test_an_event_at_the_cut_is_a_target_and_one_just_before_it_is_not(shop: Any) -> None:
    seen = next(user for user in _USERS if user not in _UNSEEN)
    first = [event for event in _events(0) if event[0] != seen]
    base = [*first, (seen, "p1", "2026-01-01"), (seen, "p3", "2026-01-15T00:00")]
    same = _bytes(shop, base, _judgments(0))
    assert _bytes(shop, [*base, (seen, "p2", "2026-01-16T00:00")], _judgments(0)) == same
    assert _bytes(shop, [*base, (seen, "p2", "2026-01-15T23:59:59.999999")], _judgments(0)) != same


def test_without_events_of_learnable_users_before_the_cut_the_examples_differ(shop: Any) -> None:
    """The proof above would notice: these are events that do count."""
    first = _events(0)
    others = [event for event in first if _kept_out(event)] + [event for event in _events(1) if not _kept_out(event)]
    assert (
        _bytes(shop, others, _judgments(0))["retrieve.parquet"]
        != _bytes(shop, first, _judgments(0))["retrieve.parquet"]
    )


def test_no_example_depends_on_a_held_out_fold(shop: Any) -> None:
    fold = 3
    held = {query for query, text in _QUERIES if splits.fold(text) == fold}
    assert 2 < len(held) < 20
    others = [row for row in _judgments(0) if row[0] not in held] + [row for row in _judgments(1) if row[0] in held]
    assert set(others) != set(_judgments(0))
    assert _bytes(shop, _events(0), others, fold) == _bytes(shop, _events(0), _judgments(0), fold)
    assert _bytes(shop, _events(0), others, None) != _bytes(shop, _events(0), _judgments(0), None)


def test_no_query_of_the_held_out_fold_is_in_an_example_and_all_others_are(shop: Any, rows: Any) -> None:
    shop.products(30).table("queries", "query_id query", *_QUERIES)
    done = shop.table("judgments", "query_id product_id grade", *_judgments(0)).prepare(hold_fold=2)
    fold = {row["query"]: row["fold"] for row in rows(done.path(QUERIES))}
    ranked = {row["query"] for row in rows(done.examples("rank"))}
    assert ranked == {query for query, at in fold.items() if at != 2}
    assert {row["query"] for row in rows(done.examples("retrieve"))} <= ranked
    assert done.prepared.hold_fold == 2


def test_train_and_valid_share_no_group(shop: Any, rows: Any, tmp_path: Path) -> None:
    queries = [*_QUERIES, *((f"again {at}", f"THINGS {at} 红 色") for at in range(40))]
    judged = [*_judgments(0), *((f"again {row[0]}", *row[1:]) for row in _judgments(1))]
    shop.products(30).table("queries", "query_id query", *queries)
    done = shop.table("judgments", "query_id product_id grade", *judged).prepare()
    parts: dict[str, set[str]] = {}
    for row in rows(done.examples("rank")):
        parts.setdefault(splits.words(row["query"]), set()).add(row["split"])
    assert len(parts) == 40
    assert {len(found) for found in parts.values()} == {1}
    assert set.union(*parts.values()) == {"train", "valid"}


def test_near_duplicates_of_a_labelled_text_are_learnt_from_choose_or_test_together(shop: Any, rows: Any) -> None:
    texts = [(text, "good") for at in range(60) for text in (f"blue thing {at}", f"THINGS, blue {at}!")]
    shop.products(2).table("classify", "text label", *texts, ("no", "bad"))
    parts: dict[str, list[str]] = {}
    for row in rows(shop.prepare().examples("classify")):
        parts.setdefault(splits.words(row["text"]), []).append(row["split"])
    assert all(len(set(found)) == 1 for found in parts.values())
    assert {found[0] for found in parts.values() if len(found) == 2} == {"train", "valid", "test"}
