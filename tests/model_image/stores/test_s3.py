"""What only a bucket has: parts, versions, and roles."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from model_image.stores import ForbiddenError, ObjectStore, StoreError
from model_image.stores.s3 import S3Store
from tests.model_image.stores.conftest import MIB, Client, bucket


def test_parts_that_are_there_are_not_sent_again(client: Client, large) -> None:
    store, (path, digest) = bucket(client), large
    begun = store._bucket.call(  # as a killed process would leave it
        "create_multipart_upload", "a/large", ChecksumAlgorithm="SHA256", Metadata={"sha256": digest}
    )
    data = path.read_bytes()
    for number, part in ((1, data[: 5 * MIB]), (2, b"?" * 5 * MIB)):  # the second is of other bytes
        store._bucket.call("upload_part", "a/large", UploadId=begun["UploadId"], PartNumber=number, Body=part)
    client.asked.clear()
    assert store.upload("a/large", path, sha256=digest)
    assert client.asked.count("upload_part") == 2
    assert client.asked.count("create_multipart_upload") == 0
    assert sha256(b"".join(store.chunks("a/large"))).hexdigest() == digest


@pytest.mark.parametrize("refusal", [("SlowDown", 503), ("AccessDenied", 403)])
def test_a_failure_at_the_end_of_an_upload_keeps_its_parts_for_the_next(client: Client, large, refusal) -> None:
    store, (path, digest) = bucket(client), large
    client.refused, client.refusal = "complete_multipart_upload", refusal
    with pytest.raises(StoreError):
        store.upload("a/large", path, sha256=digest)
    client.refused = ""
    client.asked.clear()
    assert store.upload("a/large", path, sha256=digest)
    assert client.asked.count("upload_part") == 0
    assert sha256(b"".join(store.chunks("a/large"))).hexdigest() == digest


@pytest.mark.parametrize("their_part", [5 * MIB, 64 * MIB], ids=["in the same parts", "in one piece"])
def test_of_two_that_upload_one_file_at_once_both_succeed(client: Client, s3_client: Any, large, their_part) -> None:
    store, (path, digest) = bucket(client), large
    other = S3Store(str(store).removeprefix("s3://"), s3_client, part_bytes=their_part)
    client.before_complete = lambda: other.upload("a/large", path, sha256=digest)
    wrote = store.upload("a/large", path, sha256=digest)
    assert wrote == (their_part == 5 * MIB)  # the same parts are one upload, and S3 takes its end twice
    assert sha256(b"".join(store.chunks("a/large"))).hexdigest() == digest
    assert store.leftovers("a/") == []


def test_a_file_that_changed_since_it_was_sealed_is_not_stored(client: Client, large) -> None:
    store, (path, _) = bucket(client), large
    with pytest.raises(StoreError, match="changed while it was uploaded"):
        store.upload("a/large", path, sha256="0" * 64)
    assert store.below("a/") == []
    assert store.leftovers("a/") == []


def test_versions_of_a_deletion_that_was_killed_are_leftovers(client: Client) -> None:
    store = bucket(client)
    store.put("a/b", b"12345", expected=None)
    client.delete_object(Bucket=str(store).removeprefix("s3://"), Key="a/b")
    (leftover,) = store.leftovers("a/")
    assert (leftover.key, leftover.size) == ("a/b", 5)
    store.put("a/b", b"new", expected=None)
    store.discard(leftover)
    assert b"".join(store.chunks("a/b")) == b"new"


@pytest.mark.parametrize(
    ("operation", "role"),
    [("put_object", "publisher"), ("list_object_versions", "collector"), ("list_objects_v2", "reads the registry")],
)
def test_who_may_not_is_told_which_role_may(client: Client, operation: str, role: str) -> None:
    store = bucket(client)
    client.refused = operation
    with pytest.raises(ForbiddenError, match=f"{operation}.*{role}"):
        list(act(store, operation))


def act(store: ObjectStore, operation: str) -> Iterator[Any]:
    if operation == "put_object":
        store.put("a", b"", expected=None)
    yield from store.leftovers("a/") if operation == "list_object_versions" else store.below("a/")
