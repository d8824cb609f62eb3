"""Deleting from a bucket that keeps versions, so that room is freed and nothing old comes back.

A plain delete hides the key at once. Then the versions go, the oldest first and what hides them last: were it the other
way round, an earlier version would be the object again for a moment, and for good after a crash.
"""

from collections import defaultdict
from typing import Any

from model_image.stores import Leftover, NotFoundError
from model_image.stores.s3_bucket import Bucket

UPLOAD, VERSIONS = "unfinished upload", "versions of a deleted object"


def delete(bucket: Bucket, key: str) -> None:
    """Remove `key` and every version of it."""
    bucket.call("delete_object", key)
    _delete_versions(bucket, key)


def leftovers(bucket: Bucket, prefix: str) -> list[Leftover]:
    """Uploads that were begun and not ended, and versions of objects that are not there any more."""
    uploads = [
        Leftover(found["Key"], 0, found["Initiated"].timestamp(), UPLOAD, found["UploadId"])
        for page in bucket.pages("list_multipart_uploads", None, Prefix=prefix)
        for found in page.get("Uploads", ())
    ]
    hidden = [
        Leftover(key, sum(each.get("Size", 0) for each in found), max(map(_written, found)), VERSIONS)
        for key, found in _versions(bucket, prefix).items()
        if not any(each["IsLatest"] and "Size" in each for each in found)
    ]
    return uploads + hidden


def discard(bucket: Bucket, leftover: Leftover) -> None:
    """Remove what `leftovers` gave."""
    if leftover.what == VERSIONS:
        _delete_versions(bucket, leftover.key, hidden_only=True)
        return
    try:
        bucket.call("abort_multipart_upload", leftover.key, UploadId=leftover.mark)
    except NotFoundError:
        return


def _delete_versions(bucket: Bucket, key: str, *, hidden_only: bool = False) -> None:
    found = _versions(bucket, key).get(key, [])
    if hidden_only and any(each["IsLatest"] and "Size" in each for each in found):
        return  # published again meanwhile
    for each in sorted(found, key=lambda each: (each["IsLatest"], _written(each))):
        bucket.call("delete_object", key, VersionId=each["VersionId"])


def _versions(bucket: Bucket, prefix: str) -> dict[str, list[dict[str, Any]]]:
    """Versions and delete markers by key; only the former have a size."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for page in bucket.pages("list_object_versions", None, Prefix=prefix):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            found[each["Key"]].append(each)
    return found


def _written(version: dict[str, Any]) -> float:
    return float(version["LastModified"].timestamp())
