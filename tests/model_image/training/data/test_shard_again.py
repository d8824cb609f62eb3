"""A shard that is run again where it is whole ends well; where anything differs it is refused as any other folder."""

import os
from pathlib import Path
from typing import Any

import pytest

from model_image.training.cli_prepare import main
from model_image.training.dataset import EVENTS, PREPARED, read_prepared

_DAYS = [("u", f"p{day % 6}", f"2026-01-{day:02}") for day in range(1, 9)]


@pytest.fixture
def made(shop: Any) -> list[str]:
    """The words of shard 0 of 2, which is there."""
    shop.products().table("events", "user_id product_id time", *_DAYS)
    for name in ("users.key", "other.key"):
        assert main(["--new-key", str(shop.folder / name)]) == 0
    words = [f"--catalogue={shop.inputs['products']}", f"--events={shop.inputs['events']}", "--shard=0/2"]
    words += [f"--target={shop.folder / 'shard'}", f"--key-file={shop.folder / 'users.key'}", "--now=2026-02-01"]
    assert main(words) == 0
    return words


@pytest.mark.parametrize("more", [[], ["--memory=1GB"]])
def test_the_same_again_prints_its_revision(shop: Any, made: list[str], capsys: Any, more: list[str]) -> None:
    target = shop.folder / "shard"
    before = os.stat(target / PREPARED)
    capsys.readouterr()
    assert main([*made, *more]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{read_prepared(target).revision}\n"
    assert printed.err == f"{target}: this shard as it is asked for, there already; nothing to do\n"
    assert os.stat(target / PREPARED) == before


def test_without_a_time_of_its_own_the_shards_is_taken(made: list[str]) -> None:
    assert main(made[:-1]) == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("--shard=1/2", "settings: shard is [0, 2], expected [1, 2]"),
        ("--seed=1", "settings: seed is 0, expected 1"),
        ("--column=products.title=category", "settings: columns is {}, expected {'products': {'title': 'category'}}"),
        ("--key-file=other.key", "key: another, by which a user has another name"),
        ("--now=2026-02-02", "created is 2026-02-01T00:00:00+00:00, expected 2026-02-02T00:00:00+00:00 as --now has"),
        ("--classify=labels.csv", "inputs: classify/labels.csv is not there, expected "),
    ],
)
def test_what_differs_is_told(
    shop: Any, made: list[str], capsys: Any, monkeypatch: Any, changed: str, told: str
) -> None:
    monkeypatch.chdir(shop.folder)
    (shop.folder / "labels.csv").write_text("text,label\ntea,a\ncup,b\n")
    assert main([*made, changed]) == 2
    found = capsys.readouterr()
    start = (
        f"error: {shop.folder / 'shard'}: is there already, expected a new folder or this shard as it is asked for ("
    )
    assert f"{start}{told}" in found.err
    assert found.err.endswith("); name another or remove it\n")


def _grown(shop: Any) -> None:
    with Path(shop.inputs["events"]).open("a") as file:
        file.write("u,p1,2026-01-09\n")


def _damaged(shop: Any) -> None:
    path = shop.folder / "shard" / EVENTS
    path.write_bytes(path.read_bytes() + b"x")


def _of_other_code(shop: Any) -> None:
    path = shop.folder / "shard" / PREPARED
    path.write_text(path.read_text().replace(read_prepared(path.parent).code, "f" * 64))


@pytest.mark.parametrize(
    ("change", "told"),
    [(_grown, "inputs: events/events.csv is "), (_damaged, "sha256 is "), (_of_other_code, f"code is {'f' * 64}, ")],
)
def test_another_table_a_damaged_shard_and_other_code_are_told(
    shop: Any, made: list[str], capsys: Any, change: Any, told: str
) -> None:
    change(shop)
    assert main(made) == 2
    found = capsys.readouterr().err
    assert "is there already, expected a new folder or this shard as it is asked for (" in found
    assert told in found


def test_a_folder_that_nothing_was_prepared_in_is_refused(shop: Any, made: list[str], capsys: Any) -> None:
    (shop.folder / "shard" / PREPARED).unlink()
    assert main(made) == 2
    assert "is there already, expected a new folder; name another or remove it" in capsys.readouterr().err
