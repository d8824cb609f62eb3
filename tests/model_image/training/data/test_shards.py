"""Nothing is merged but the shards of one run, each once and as it was prepared; the refusal names the way out."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from model_image.training.data.errors import InputError
from model_image.training.data.manifest import revision, sealed
from model_image.training.data.merge import merge
from model_image.training.data.shards import find_shards
from model_image.training.dataset import EVENTS, PREPARED, Dataset, DatasetError, read_prepared

_DAYS = [("u", f"p{day % 6}", f"2026-01-{day:02}") for day in range(1, 9)]


@pytest.fixture
def filled(shop: Any) -> Any:
    return shop.products().table("events", "user_id product_id time", *_DAYS)


def _told(folders: list[Path]) -> str:
    with pytest.raises(InputError) as caught:
        merge(folders, folders[0].parent / "merged")
    return str(caught.value)


def test_every_shard_is_wanted_once(filled: Any) -> None:
    first, second, third = filled.shards(3)
    assert [shard.folder for shard in find_shards([third, first, second])] == [first, second, third]
    assert _told([third, first]) == (
        "shard 1 of 3: not among the 2 folders, expected every one (1 missing); prepare it with --shard 1/3, or name "
        "its folder too"
    )
    copy = shutil.copytree(first, filled.folder / "copy")
    assert _told([third, first, copy]) == f"{copy}: is shard 0 of 3, and so is {first}; name one"
    assert _told([first, filled.folder_of(shard=(1, 2))]).endswith(f"but {first} one of 3; name the shards of one run")
    (filled.folder / "merged").mkdir()
    assert _told([first, second, third]).startswith(f"{filled.folder / 'merged'}: is there already, expected a new")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seed": 1}, "settings: seed is 1, expected 0 as in "),
        ({"hold_fold": 3}, "settings: hold_fold is 3, expected None as in "),
        ({"columns": {"products": {"title": "price"}}}, "settings: columns is {'products': {'title': 'price'}}, exp"),
        ({"key": bytes(range(1, 33))}, "key: another, by which a user has another name, expected the one in "),
    ],
)
def test_another_setting_or_key_is_refused(filled: Any, changed: dict[str, Any], told: str) -> None:
    first, second = filled.folder_of(shard=(0, 2)), filled.folder_of(shard=(1, 2), **changed)
    found = _told([first, second])
    assert found.startswith(f"{second}: {told}")
    assert found.endswith(f"in {first}; prepare both with one command, but for --shard and --target")


def test_another_cut_is_refused(filled: Any) -> None:
    first, second = (filled.folder_of(shard=(at, 2), cut=datetime(2026, 1, 5 + at)) for at in (0, 1))
    assert "settings: cut is 2026-01-06T00:00:00, expected 2026-01-05T00:00:00 as in" in _told([first, second])


def test_other_tables_are_refused(filled: Any) -> None:
    first = filled.folder_of(shard=(0, 2))
    filled.products(7)
    assert "inputs: products/products.csv is " in _told([first, filled.folder_of(shard=(1, 2))])
    filled.products().table("queries", "query_id query", ("1", "tea"))
    told = _told([first, filled.folder_of(shard=(1, 2))])
    assert "inputs: queries/queries.csv is " in told
    assert ", expected not there as in " in told


def test_what_shards_have_alike_but_for_the_libraries_is_refused(filled: Any) -> None:
    first, second = filled.shards(2)
    _rewrite(second, lambda said: said["files"].update({"products.parquet": "0" * 64}))
    assert f"{second}: files: products.parquet is {'0' * 64}, expected " in _told([first, second])


def test_other_code_and_older_versions_are_refused(filled: Any) -> None:
    first, second = filled.shards(2)
    _rewrite(second, lambda said: said.update(code="f" * 64))
    assert f"{second}: code is {'f' * 64}, expected " in _told([first, second])
    _rewrite(second, lambda said: [said.pop(name) for name in ("code", "key", "settings")])
    told = _told([first, second])
    assert f"{second}: code is of an older version, expected " in told
    assert told.endswith("prepare this shard again, or merge with the version that prepared all")


def test_a_damaged_shard_is_refused(filled: Any) -> None:
    folders = filled.shards(2)
    path = folders[1] / EVENTS
    data = path.read_bytes()
    path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    told = _told(folders)
    assert told.startswith(f"{path}: sha256 is ")
    assert told.endswith(f" as {PREPARED} has it; copy this shard again, or prepare it again")
    path.unlink()
    assert _told(folders) == f"{path}: missing, but {PREPARED} has it; prepare the data again"
    (folders[1] / PREPARED).write_text((folders[0] / PREPARED).read_text()[:-9])
    assert _told(folders).startswith(f"{folders[1] / PREPARED}: ")
    absent = filled.folder / "absent"
    assert _told([absent]) == f"{absent / PREPARED}: not there; prepare the data first (scripts/prepare)"


def test_a_lone_shard_is_not_to_learn_from(filled: Any) -> None:
    folder = filled.folder_of(shard=(1, 2))
    with pytest.raises(DatasetError, match=r"is shard 1 of 2, expected a whole; put all 2 together .*--merge"):
        Dataset(folder)


def test_folders_of_older_versions_still_open(filled: Any) -> None:
    folder = filled.folder_of()
    _rewrite(folder, lambda said: [said.pop(name) for name in ("code", "key", "settings", "sealed")])
    assert Dataset(folder).has(EVENTS)


def test_the_key_has_a_mark_that_is_no_users_name(filled: Any) -> None:
    said = [read_prepared(filled.folder_of(key=key)).key for key in (bytes(range(32)), bytes(range(1, 33)))]
    assert len({*said}) == 2
    assert all(len(mark) == 32 for mark in said)


def _rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Another manifest, whose revision and seal are those of what it says."""
    said = msgspec.json.decode((folder / PREPARED).read_bytes())
    change(said)
    (folder / PREPARED).write_bytes(msgspec.json.encode(said))
    said["revision"] = revision(read_prepared(folder))
    (folder / PREPARED).write_bytes(msgspec.json.encode(said))
    said["sealed"] = sealed(read_prepared(folder))
    (folder / PREPARED).write_bytes(msgspec.json.encode(said))
