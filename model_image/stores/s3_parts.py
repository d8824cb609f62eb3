"""Large files in parts: each checked by S3 as it arrives, and what a killed upload left is taken up again.

An unfinished upload is found by its key alone. That is enough here: the key of a release's file holds the release's
digest, so two uploads of one key are of the same bytes.
"""

import base64
import hashlib
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from model_image.stores import ConflictError, NotFoundError, StoreError
from model_image.stores.s3_bucket import Bucket

PART_BYTES = 64 << 20
"""Of memory per upload. A file above it goes in parts of this size; S3 takes one request of at most 5 GiB."""

MOST_PARTS = 10_000
"""S3's own bound (Amazon S3 user guide, "Multipart upload limits"); of larger files the parts are larger."""


def upload_parts(bucket: Bucket, key: str, path: Path, *, sha256: str, part_bytes: int) -> None:
    """Create `key` from a file. Raises `ConflictError` when it is there, `NotFoundError` when the upload was ended by
    somebody else, `StoreError` when the file is not of `sha256` any more."""
    size = max(part_bytes, -(-path.stat().st_size // MOST_PARTS))
    upload, there = _begun(bucket, key)
    if upload is None:
        upload = bucket.call("create_multipart_upload", key, ChecksumAlgorithm="SHA256", Metadata={"sha256": sha256})[
            "UploadId"
        ]
    whole, parts = hashlib.sha256(), []
    with path.open("rb") as file:
        for number, data in enumerate(iter(partial(file.read, size), b""), 1):
            whole.update(data)
            parts.append(_part(bucket, key, upload, number, data, there.get(number)))
    if whole.hexdigest() != sha256:
        bucket.call("abort_multipart_upload", key, UploadId=upload)
        raise StoreError(f"{path}: changed while it was uploaded; let nobody write the folder, and seal it again")
    try:
        bucket.call(
            "complete_multipart_upload", key, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )
    except (ConflictError, NotFoundError):  # after any other error the next upload goes on with these parts
        with suppress(StoreError):  # somebody else finished it; what is left of ours is only room
            bucket.call("abort_multipart_upload", key, UploadId=upload)
        raise


def _begun(bucket: Bucket, key: str) -> tuple[str | None, dict[int, dict[str, Any]]]:
    """The upload of `key` that was begun last, with its parts by number."""
    uploads = [
        found
        for page in bucket.pages("list_multipart_uploads", None, Prefix=key)
        for found in page.get("Uploads", ())
        if found["Key"] == key and found.get("ChecksumAlgorithm") == "SHA256"
    ]
    if not uploads:
        return None, {}
    upload = max(uploads, key=lambda found: found["Initiated"])["UploadId"]
    pages = bucket.pages("list_parts", key, UploadId=upload)
    return upload, {part["PartNumber"]: part for page in pages for part in page.get("Parts", ())}


def _part(
    bucket: Bucket, key: str, upload: str, number: int, data: bytes, there: dict[str, Any] | None
) -> dict[str, Any]:
    checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
    if there is None or not _same(there, data, checksum):
        there = bucket.call(
            "upload_part", key, UploadId=upload, PartNumber=number, Body=data, ChecksumSHA256=checksum
        )  # S3 refuses a body that does not match
    return {"PartNumber": number, "ETag": there["ETag"], "ChecksumSHA256": checksum}


def _same(there: dict[str, Any], data: bytes, checksum: str) -> bool:
    if there["Size"] != len(data):
        return False
    if "ChecksumSHA256" in there:
        return bool(there["ChecksumSHA256"] == checksum)
    return bool(there["ETag"].strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest())
