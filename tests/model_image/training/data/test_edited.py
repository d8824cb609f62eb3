"""No word of a shard's manifest is believed but as it was written."""

from typing import Any

import msgspec
import pytest

from model_image.training.data.errors import InputError
from model_image.training.data.merge import merge
from model_image.training.dataset import PREPARED, Prepared

_EDITS: dict[str, Any] = {
    "schema": 2,
    "revision": "sha256-0",
    "created": "2031-01-01T00:00:00+00:00",
    "inputs": {},
    "files": {},
    "tables": {"products": {"read": 6, "kept": 6, "refused": {}}, "events": {"read": 9, "kept": 9, "refused": {}}},
    "cut": "2026-01-02T00:00:00Z",
    "unseen_percent": 1,
    "seed": 1,
    "hold_fold": 1,
    "shard": [0, 0],
    "scrubbed": {"events": {"mail": 1}},
    "settings": {},
    "code": "f" * 64,
    "key": "0" * 32,
    "sealed": "",
}


@pytest.mark.parametrize("field", Prepared.__struct_fields__)
def test_a_manifest_that_was_edited_is_refused(shop: Any, field: str) -> None:
    shop.products().table("events", "user_id product_id time", ("u", "p1", "2026-01-01"), ("u", "p2", "2026-01-03"))
    folder = shop.folder_of(shard=(1, 2))
    path = folder / PREPARED
    said = msgspec.json.decode(path.read_bytes())
    assert said[field] != _EDITS[field]
    path.write_bytes(msgspec.json.encode(said | {field: _EDITS[field]}))
    other = {"schema": f"{path}: schema is 2, ", "code": f"{folder}: code is {'f' * 64}, "}
    with pytest.raises(InputError) as caught:
        merge([folder], shop.folder / "merged")
    assert str(caught.value).startswith(other.get(field, f"{path}: sealed is "))
