"""Shards put together are what one machine would have prepared, to the byte."""

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from model_image.training.data import merge as merging
from model_image.training.data.errors import InputError, RunError
from model_image.training.data.merge import merge
from model_image.training.dataset import EVENTS, REFUSED, Dataset, read_prepared

_EVENTS = "user_id,product_id,time,quantity,price"
_BAD = ["u1", "a,b,c,d,e,f", "u1,p99,2026-01-01,1,", ",p1,2026-01-01,1,", "u1,p1,never,1,", "u1,p1,2026-01-01,-1,"]


def _filled(shop: Any, seed: int) -> Any:
    """Events in files of both kinds, good, twice and bad in every way; queries with addresses; tables of examples."""
    draw = random.Random(seed)
    folder = shop.folder / "events"
    folder.mkdir()
    good = [
        f"u{draw.randrange(30)},p{draw.randrange(20)},2026-01-{draw.randrange(1, 29):02},{draw.choice(['', '2'])},1.5"
        for _ in range(300)
    ]
    lines = [*good, *draw.choices(good, k=30), *draw.choices(_BAD, k=60)]
    draw.shuffle(lines)
    for name, part in (("b, row 7.csv", lines[:250]), ("a.csv", lines[250:251]), ("c.csv", lines[251:])):
        (folder / name).write_text("\n".join([_EVENTS, *part, ""]))
    columns = {"user_id": [f"u{at % 9}" for at in range(90)], "product_id": [f"p{at % 25}" for at in range(90)]}
    times = [f"2026-01-{1 + at // 4:02}" for at in range(90)]
    pyarrow.parquet.write_table(pyarrow.table(columns | {"time": times}), folder / "d.parquet", row_group_size=7)
    shop.products(20).inputs["events"] = str(folder)
    queries = [(str(at), f"商品 {at} jane{at % 3}@example.com") for at in range(12)]
    judged = [(str(at), f"p{other}", draw.randrange(4)) for at in range(13) for other in draw.sample(range(22), 8)]
    shop.table("queries", "query_id query", *queries, queries[0])
    shop.table("judgments", "query_id product_id grade", *judged)
    texts = [(f"很好 {at} call 555-867-5309", at % 2) for at in range(20)]
    return shop.table("classify", "text label", *texts, ("", "x")).table("regress", "text value", *texts, ("a", "b"))


def _bought(shop: Any, *rows: Any) -> Any:
    return shop.products().table("events", "user_id product_id time", *rows)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_shards_together_are_the_whole(shop: Any, of: int) -> None:
    settings = {"hold_fold": of, "seed": of, "unseen_percent": 10 * of}
    whole = _filled(shop, seed=of).prepare(**settings)
    folders = shop.shards(of, **settings)
    random.Random(of).shuffle(folders)
    done = merge(folders, shop.folder / "merged", note=shop.notes.append)
    assert done == whole.prepared
    assert done.shard == (0, 1)
    assert {"unreadable row", "anonymous", "returned", "unknown product_id"} < set(done.tables["events"].refused)
    assert set(done.scrubbed) == {"queries", "classify", "regress"}
    assert {"examples/rank.parquet", "examples/retrieve.parquet"} < set(done.files)
    assert _bytes(shop.folder / "merged") == _bytes(whole.folder)


def test_a_shard_has_its_part_of_the_events_and_the_first_has_the_other_tables(shop: Any) -> None:
    first, *others = [read_prepared(folder) for folder in _filled(shop, seed=0).shards(3)]
    every = {"products.parquet", EVENTS, f"{REFUSED}/{EVENTS}"}
    assert [set(other.files) for other in others] == [every, every]
    more = {f"{name}/{task}.parquet" for name in ("examples", REFUSED) for task in ("classify", "regress")}
    more |= {name for table in ("queries", "judgments") for name in (f"{table}.parquet", f"{REFUSED}/{table}.parquet")}
    assert set(first.files) == every | more
    read = [shard.tables["events"].read for shard in (first, *others)]
    assert max(read) < 1.3 * min(read)


def test_a_cut_that_shards_were_given_is_the_merges(shop: Any) -> None:
    days = [("u", f"p{day % 6}", f"2026-01-{day:02}") for day in range(1, 29)]
    folders = _bought(shop, *days).shards(2, cut=datetime(2026, 1, 10))
    assert merge(folders, shop.folder / "merged").cut == datetime.fromisoformat("2026-01-10T00:00:00Z")


def test_a_shard_of_bad_events_alone_is_judged_with_the_others(shop: Any) -> None:
    rows = [("u", "p1", f"2026-01-{at:02}" if at % 3 else "never") for at in range(1, 29)]
    folders = _bought(shop, *rows).shards(3, most_refused=50.0)
    told = "none is left or above 50 % are refused; --merge fails where it is so of all shards together"
    assert [told in note for note in shop.notes].count(True) == 1
    assert merge(folders, shop.folder / "merged").tables["events"].refused == {"time unreadable": 9}


def test_too_many_refused_in_all_are_told_as_one_machine_tells_them(shop: Any) -> None:
    _bought(shop, *(("u", f"p{at % 9}", f"2026-01-{1 + at % 20:02}") for at in range(60)))
    with pytest.raises(InputError) as whole:
        shop.prepare(most_refused=5.0)
    with pytest.raises(InputError) as merged:
        merge(shop.shards(3, most_refused=5.0), shop.folder / "merged")
    assert str(merged.value) == str(whole.value)
    assert "unknown product_id: 18 (events.csv, row 7: '(2 characters)'; events.csv, row 8" in str(whole.value)


def test_no_event_in_a_shard_is_no_fault_and_none_in_all_is(shop: Any) -> None:
    whole = _bought(shop, ("u", "p1", "2026-01-01"), ("u", "p2", "2026-01-03")).prepare()
    assert merge(shop.shards(3), shop.folder / "merged").files == whole.prepared.files
    shop.table("events", "user_id product_id time")
    with pytest.raises(InputError, match="events: no row, expected at least one below the header"):
        merge(shop.shards(2), shop.folder / "none")


def test_tables_without_events_are_all_in_the_first_shard(shop: Any) -> None:
    whole = shop.products().table("queries", "query_id query", ("1", "tea")).prepare(key=None)
    assert merge(shop.shards(2, key=None), shop.folder / "merged") == whole.prepared


def test_events_above_the_memory_limit_are_merged_to_the_same_bytes(shop: Any) -> None:
    count, draw = 60_000, random.Random(1)
    times = [f"2026-01-{draw.randrange(1, 29):02} {at % 24:02}:00" for at in range(count)]
    columns = {"user_id": [f"u{at % 20_000}" for at in range(count)], "product_id": ["p1"] * count, "time": times}
    pyarrow.parquet.write_table(pyarrow.table(columns), shop.folder / "events.parquet")
    shop.products().inputs["events"] = str(shop.folder / "events.parquet")
    folders = shop.shards(2)
    found = [merge(folders, shop.folder / memory, memory=memory).files for memory in ("30MB", "2GB")]
    assert found[0] == found[1]


def test_a_merge_that_ends_early_leaves_the_shards_alone(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = _bought(shop, ("u", "p1", "2026-01-01"), ("u", "p2", "2026-01-03")).shards(2)
    before = _bytes(shop.folder)
    half = shop.folder / ".merged.preparing" / "result" / "half"
    half.parent.mkdir(parents=True)
    half.write_text("of a run that was killed")
    for error, told in ((KeyboardInterrupt(), KeyboardInterrupt), (OSError("no space left"), RunError)):
        with monkeypatch.context() as patched:
            patched.setattr(merging.manifest, "seal", _raising(error))
            with pytest.raises(told):
                merge(folders, shop.folder / "merged")
        assert _bytes(shop.folder) == before
    merge(folders, shop.folder / "merged")
    assert "half" not in _bytes(shop.folder / "merged")
    Dataset(shop.folder / "merged")


def _raising(error: BaseException) -> Any:
    def seal(*_: Any, **__: Any) -> None:
        raise error

    return seal
