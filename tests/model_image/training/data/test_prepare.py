"""The same tables, key and settings give the same bytes; another key or setting another revision."""

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from model_image.training.data.errors import InputError, RunError
from model_image.training.data.prepare import prepare
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.settings import Settings
from model_image.training.dataset import PREPARED


def _filled(shop: Any, seed: int = 0) -> Any:
    draw = random.Random(5)
    events = [
        (f"u{draw.randrange(20)}", f"p{draw.randrange(20)}", f"2026-01-{draw.randrange(1, 29):02}") for _ in range(400)
    ]
    queries = [(str(at), f"商品 {at}") for at in range(20)]
    judged = [(str(at), f"p{other}", (at + other) % 4) for at in range(20) for other in range(20)]
    texts = [(f"很好 {at}", at % 2) for at in range(50)]
    for table in (events, queries, judged, texts):
        random.Random(seed).shuffle(table)
    shop.products(20).table("events", "user_id product_id time", *events).table("queries", "query_id query", *queries)
    shop.table("judgments", "query_id product_id grade", *judged).table("classify", "text label", *texts)
    return shop.table("regress", "text value", *((text, len(text) + label) for text, label in texts))


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_again_gives_the_same_bytes(shop: Any) -> None:
    first, second = _filled(shop).prepare(), shop.prepare()
    assert _bytes(first.folder) == _bytes(second.folder)
    assert sorted(_bytes(first.folder)) == sorted([*first.prepared.files, PREPARED])


def test_the_order_of_rows_changes_no_table_and_no_example(shop: Any) -> None:
    first, second = _filled(shop).prepare(), _filled(shop, seed=1).prepare()
    assert first.prepared.inputs != second.prepared.inputs
    assert first.prepared.files == second.prepared.files


def test_another_setting_or_key_is_another_revision(shop: Any) -> None:
    _filled(shop)
    changes: list[dict[str, Any]] = [{}, {"seed": 1}, {"unseen_percent": 50}, {"key": bytes(range(1, 33))}]
    assert len({shop.prepare(**changed).prepared.revision for changed in changes}) == len(changes)


def test_events_without_a_key_or_a_catalogue_are_refused(shop: Any) -> None:
    shop.table("events", "user_id product_id time", ("u", "p", "2026-01-01"))
    with pytest.raises(InputError, match="events: given without a catalogue"):
        shop.prepare()
    with pytest.raises(InputError, match=r"events: given without a key.*--key-file"):
        shop.products().prepare(key=None)


@pytest.mark.parametrize("day", ["2026-01-05", "2026-01-04T23:00"])
def test_a_cut_without_history_is_refused(shop: Any, day: str) -> None:
    shop.products().table("events", "user_id product_id time", ("u", "p1", "2026-01-05"))
    with pytest.raises(InputError, match=r"cut: .*expected a time after the first event, 2026-01-05"):
        shop.prepare(cut=datetime.fromisoformat(day))


def test_a_table_above_the_memory_limit_is_prepared_to_the_same_bytes(shop: Any) -> None:
    draw, count = random.Random(3), 70_000
    columns = {
        "product_id": [f"p{number}" for number in draw.sample(range(10**9), count)],
        "title": [f"茶 {draw.randbytes(250).hex()}" for _ in range(count)],
    }
    assert sum(map(len, columns["title"])) > 35e6
    pyarrow.parquet.write_table(pyarrow.table(columns), shop.folder / "products.parquet", row_group_size=10_000)
    shop.inputs["products"] = str(shop.folder / "products.parquet")
    assert shop.prepare(memory="35MB").prepared.files == shop.prepare().prepared.files


def test_too_little_memory_is_told_with_the_way_out(shop: Any) -> None:
    _filled(shop)
    with pytest.raises(RunError, match=r"memory: 1MB do not suffice.*raise --memory"):
        shop.prepare(memory="1MB")
    assert not [found for found in shop.folder.iterdir() if "prepar" in found.name]


def test_a_folder_named_like_a_partition_is_no_column(shop: Any, rows: Any) -> None:
    """The products had the folder's name for a title."""
    folder = shop.folder / "title=x"
    folder.mkdir()
    done = _filled(shop).prepare(target=folder / "prepared")
    assert {row["text"][:2] for row in rows(done.examples("rank"))} == {"商品"}


def test_the_manifest_says_nothing_of_the_key_and_paths(shop: Any) -> None:
    text = (_filled(shop).prepare().folder / PREPARED).read_text()
    assert str(shop.folder) not in text
    assert bytes(range(32)).hex() not in text


def test_settings_that_cannot_be_are_refused(shop: Any, tmp_path: Path) -> None:
    for wrong, told in (
        ({"shard": (3, 3)}, "shard: 3/3"),
        ({"shard": (0, 3), "model": tmp_path}, "model: .* is given to a shard.*pass --model to --merge"),
        ({"model": tmp_path / "absent"}, "model: .*absent is no folder"),
        ({"hold_fold": 5}, "hold_fold: 5"),
        ({"memory": "lots"}, "memory: 'lots'"),
        ({"unseen_percent": 100}, "unseen_percent: 100"),
        ({"inputs": {}}, "inputs: none"),
        ({"inputs": {"products": "x", "judgments": "x"}}, "judgments: given without the queries"),
        ({"inputs": {"basket": "x"}}, "basket: no table of that name"),
    ):
        with pytest.raises(InputError, match=told):
            prepare(
                Settings(
                    **({"inputs": {"events": "x", "products": "x"}, "target": tmp_path / "t", "now": None} | wrong)
                ),
                Pseudonyms(bytes(range(32))),
            )  # type: ignore[arg-type]
