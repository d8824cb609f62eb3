"""An S3 bucket as object store. The AWS SDK is imported only when a client is made here.

Where the requests go and who signs them is the SDK's own business, by its standard variables: AWS_REGION,
AWS_ENDPOINT_URL, AWS_CA_BUNDLE, and keys, a web identity or the instance's role as credentials.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_image.stores import ConflictError, NotFoundError, Stored, StoreError

_CHUNK = 1 << 20
_MAX_PUT = 5 << 30  # S3 takes at most this in one request; above it conditional multipart would be needed


def make_client() -> Any:
    """A client that gives up on a dead endpoint in seconds. An own endpoint gets path-style addresses: its name
    or address has no record for `<bucket>.<endpoint>`."""
    import boto3
    from botocore.config import Config

    style = "path" if os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_S3") else "auto"
    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=3, read_timeout=30, retries=retries, s3={"addressing_style": style})
    return boto3.client("s3", config=config)


class S3Store:
    """Objects of one bucket, which must exist. The version of an object is its ETag."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        self._bucket = bucket
        self._made = client

    def __str__(self) -> str:
        return f"s3://{self._bucket}"

    def get(self, key: str, *, unless: str | None = None) -> Stored | None:
        condition = {"IfNoneMatch": unless} if unless else {}
        try:
            answer = self._call("get_object", key, **condition)
        except _NotModifiedError:
            return None
        try:
            return Stored(answer["Body"].read(), answer["ETag"])
        except _failures() as error:
            raise StoreError(f"{self}/{key}: {error}") from error

    def put(self, key: str, data: bytes, *, expected: str | None) -> None:
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        try:
            self._call("put_object", key, Body=data, **condition)
        except (ConflictError, NotFoundError) as error:
            # The SDK repeats a request whose answer was lost; the repeat then meets our own first write.
            if not self._is(key, data):
                raise ConflictError(f"{self}/{key}: changed by somebody else") from error

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        if path.stat().st_size > _MAX_PUT:
            raise StoreError(f"{path}: {path.stat().st_size} bytes, at most {_MAX_PUT} per file; split the file")
        if self._uploaded(key, sha256):
            return False
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()  # S3 refuses a body that does not match
        try:
            with path.open("rb") as body:
                self._call(
                    "put_object", key, Body=body, IfNoneMatch="*", ChecksumSHA256=checksum, Metadata={"sha256": sha256}
                )
        except ConflictError:
            return not self._uploaded(key, sha256)
        return True

    def chunks(self, key: str) -> Iterator[bytes]:
        body = self._call("get_object", key)["Body"]
        try:
            yield from body.iter_chunks(_CHUNK)
        except _failures() as error:
            raise StoreError(f"{self}/{key}: {error}") from error

    def folders(self, prefix: str) -> list[str]:
        names: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", None, Prefix=prefix, Delimiter="/", **token)
            names += [entry["Prefix"][len(prefix) : -1] for entry in page.get("CommonPrefixes", ())]
            if not page.get("IsTruncated"):
                return sorted(names)
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _uploaded(self, key: str, sha256: str) -> bool:
        """Whether `key` holds this content: its checksum was checked by S3 in the request that wrote the mark."""
        try:
            mark = self._call("head_object", key)["Metadata"].get("sha256")
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

    def _call(self, operation: str, key: str | None, **arguments: Any) -> Any:
        if key is not None:
            arguments["Key"] = key
        try:
            if self._made is None:
                self._made = make_client()
            return getattr(self._made, operation)(Bucket=self._bucket, **arguments)
        except _failures() as error:
            raise self._typed(error, key) from error

    def _typed(self, error: Exception, key: str | None) -> StoreError:
        details = getattr(error, "response", {})
        status = details.get("ResponseMetadata", {}).get("HTTPStatusCode")
        place = f"{self}/{key or ''}"
        if status == 304:
            return _NotModifiedError(place)
        if details.get("Error", {}).get("Code") == "NoSuchBucket":
            return StoreError(f"{place}: no such bucket; create it (the aws stack does) or name another registry")
        if status == 404:
            return NotFoundError(f"{place}: not found")
        if status in (409, 412):
            return ConflictError(f"{place}: changed by somebody else")
        return StoreError(f"{place}: {error}")


class _NotModifiedError(StoreError):
    """The object still has the version that the request named."""


def _failures() -> tuple[type[Exception], ...]:
    """What the SDK raises: refusals of the service, its own troubles, and broken connections while reading."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError
