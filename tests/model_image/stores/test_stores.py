"""One suite for all stores that can be written: what holds for the folder holds for a bucket, with versions or not."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from model_image.stores import ConflictError, NotFoundError, ObjectStore, StoreError
from model_image.stores.folder import FolderStore
from model_image.stores.http import HttpStore


def test_a_listing_names_all_objects_below_with_their_sizes_and_no_others(store: ObjectStore) -> None:
    for key, data in {"a/b/c": b"1", "a/d": b"22", "ab/e": b"333"}.items():
        store.put(key, data, expected=None)
    assert [(entry.key, entry.size) for entry in store.below("a/")] == [("a/b/c", 1), ("a/d", 2)]
    assert all(entry.modified > 1.6e9 for entry in store.below("a/"))
    assert store.below("none/") == []


def test_what_is_deleted_is_gone_and_can_be_made_anew(store: ObjectStore) -> None:
    store.put("a/b", b"1", expected=None)
    found = store.get("a/b")
    store.put("a/b", b"2", expected=found and found.etag)
    store.put("a/bc", b"3", expected=None)
    store.delete("a/b")
    with pytest.raises(NotFoundError):
        store.get("a/b")
    assert [entry.key for entry in store.below("a/")] == ["a/bc"]
    assert store.leftovers("a/") == []
    store.delete("a/b")
    store.delete("never/there")
    assert store.leftovers("") == []
    store.put("a/b", b"4", expected=None)
    assert b"".join(store.chunks("a/b")) == b"4"


def test_no_folder_stays_of_what_was_deleted(store: ObjectStore) -> None:
    store.put("a/b/c", b"1", expected=None)
    store.delete("a/b/c")
    assert store.folders("a/") == []


def test_a_large_file_arrives_whole_and_is_never_overwritten(store: ObjectStore, large, tmp_path: Path) -> None:
    path, digest = large
    assert store.upload("a/large", path, sha256=digest)
    assert not store.upload("a/large", path, sha256=digest)
    assert sha256(b"".join(store.chunks("a/large"))).hexdigest() == digest
    other = tmp_path / "other"
    other.write_bytes(os.urandom(11 << 20))
    with pytest.raises(ConflictError):
        store.upload("a/large", other, sha256=sha256(other.read_bytes()).hexdigest())
    assert sha256(b"".join(store.chunks("a/large"))).hexdigest() == digest
    assert store.leftovers("a/") == []


def test_a_half_copied_file_in_a_folder_is_a_leftover(tmp_path: Path) -> None:
    (tmp_path / ".upload-x").write_bytes(b"12")
    store = FolderStore(tmp_path)
    (leftover,) = store.leftovers("releases/")
    assert leftover.size == 2
    store.discard(leftover)
    store.discard(leftover)
    assert store.leftovers("releases/") == []


def test_a_cache_lists_and_deletes_nothing() -> None:
    store = HttpStore("http://cache:8080")
    for call in (lambda: store.delete("a"), lambda: store.below("a/"), lambda: store.leftovers("a/")):
        with pytest.raises(StoreError, match=r"read only.*s3://<bucket>"):
            call()
