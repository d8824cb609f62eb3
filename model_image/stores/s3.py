"""An S3 bucket as object store."""

import base64
from collections.abc import Generator
from pathlib import Path
from typing import Any

from model_image.stores import ConflictError, Entry, Leftover, NotFoundError, Stored, StoreError, s3_remove
from model_image.stores.s3_bucket import Bucket, NotModifiedError, failures
from model_image.stores.s3_parts import PART_BYTES, upload_parts

_CHUNK = 1 << 20


class S3Store:
    """Objects of one bucket, which must exist. The version of an object is its ETag."""

    def __init__(self, bucket: str, client: Any = None, *, part_bytes: int = PART_BYTES) -> None:
        """Files above `part_bytes` go in parts; S3 takes no part below 5 MiB but the last."""
        self._bucket = Bucket(bucket, client)
        self._part_bytes = part_bytes

    def __str__(self) -> str:
        return str(self._bucket)

    def get(self, key: str, *, unless: str | None = None) -> Stored | None:
        condition = {"IfNoneMatch": unless} if unless else {}
        try:
            answer = self._bucket.call("get_object", key, **condition)
        except NotModifiedError:
            return None
        try:
            return Stored(answer["Body"].read(), answer["ETag"])
        except failures() as error:
            raise StoreError(f"{self}/{key}: {error}") from error

    def put(self, key: str, data: bytes, *, expected: str | None) -> None:
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        try:
            self._bucket.call("put_object", key, Body=data, **condition)
        except (ConflictError, NotFoundError) as error:
            # The SDK repeats a request whose answer was lost; the repeat then meets our own first write.
            if not self._is(key, data):
                raise ConflictError(f"{self}/{key}: changed by somebody else") from error

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        if self._uploaded(key, sha256):
            return False
        try:
            if path.stat().st_size > self._part_bytes:
                upload_parts(self._bucket, key, path, sha256=sha256, part_bytes=self._part_bytes)
            else:
                self._upload_whole(key, path, sha256)
        except (ConflictError, NotFoundError) as error:
            if self._uploaded(key, sha256):
                return False
            raise ConflictError(f"{self}/{key}: somebody else writes or removes it; publish again") from error
        return True

    def chunks(self, key: str) -> Generator[bytes]:
        body = self._bucket.call("get_object", key)["Body"]
        try:
            yield from body.iter_chunks(_CHUNK)
        except failures() as error:
            raise StoreError(f"{self}/{key}: {error}") from error

    def folders(self, prefix: str) -> list[str]:
        pages = self._bucket.pages("list_objects_v2", None, Prefix=prefix, Delimiter="/")
        return sorted(entry["Prefix"][len(prefix) : -1] for page in pages for entry in page.get("CommonPrefixes", ()))

    def below(self, prefix: str) -> list[Entry]:
        pages = self._bucket.pages("list_objects_v2", None, Prefix=prefix)
        return sorted(
            Entry(found["Key"], found["Size"], found["LastModified"].timestamp())
            for page in pages
            for found in page.get("Contents", ())
        )

    def delete(self, key: str) -> None:
        s3_remove.delete(self._bucket, key)

    def leftovers(self, prefix: str) -> list[Leftover]:
        return s3_remove.leftovers(self._bucket, prefix)

    def discard(self, leftover: Leftover) -> None:
        s3_remove.discard(self._bucket, leftover)

    def _upload_whole(self, key: str, path: Path, sha256: str) -> None:
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()  # S3 refuses a body that does not match
        with path.open("rb") as body:
            self._bucket.call(
                "put_object", key, Body=body, IfNoneMatch="*", ChecksumSHA256=checksum, Metadata={"sha256": sha256}
            )

    def _uploaded(self, key: str, sha256: str) -> bool:
        """Whether `key` holds this content: S3 checked its checksums before the object with this mark appeared."""
        try:
            mark = self._bucket.call("head_object", key)["Metadata"].get("sha256")
        except NotFoundError:
            return False
        if mark != sha256:
            raise ConflictError(f"{self}/{key}: exists with other content")
        return True

    def _is(self, key: str, data: bytes) -> bool:
        try:
            found = self.get(key)
        except NotFoundError:
            return False
        return found is not None and found.data == data
