"""Where the shards are and when they were prepared: what a merge makes of it."""

from datetime import datetime
from typing import Any

import pytest

from model_image.training.data.merge import merge


def _bought(shop: Any, *rows: Any) -> Any:
    return shop.products().table("events", "user_id product_id time", *rows)


@pytest.mark.parametrize("name", ["q[1]", "q*", "q?"])
def test_a_folder_named_like_a_pattern_is_that_folder(shop: Any, name: str) -> None:
    whole = _bought(shop, ("u", "p1", "2026-01-01"), ("u", "p2", "2026-01-03"), ("u", "p9", "2026-01-03")).prepare()
    folders = shop.shards(2)
    _bought(shop, ("v", "p3", "2026-01-05"), ("v", "p8", "2026-01-05"))
    for parent, found in (("q1", shop.shards(2)), (name, folders)):
        (shop.folder / parent).mkdir()
        for index, folder in enumerate(found):
            folder.rename(shop.folder / parent / str(index))
    done = merge([shop.folder / name / str(index) for index in range(2)], shop.folder / "merged")
    assert done == whole.prepared


def test_shards_of_several_times_are_told(shop: Any) -> None:
    _bought(shop, ("u", "p1", "2026-01-01"), ("u", "p2", "2026-01-03"))
    times = [datetime(2026, 5, 1), datetime(2026, 6, 1)]
    folders = [shop.folder_of(shard=(at, 2), now=now) for at, now in enumerate(times)]
    done = merge(folders, shop.folder / "merged", note=shop.notes.append)
    assert done.created == "2026-06-01T00:00:00+00:00"
    told = "  warning: created is 2026-05-01T00:00:00+00:00 to 2026-06-01T00:00:00+00:00, the folder's is the latest; "
    assert [note for note in shop.notes if note.startswith(told)]
    shop.notes.clear()
    merge(shop.shards(2), shop.folder / "again", note=shop.notes.append)
    assert not any("created" in note for note in shop.notes)
