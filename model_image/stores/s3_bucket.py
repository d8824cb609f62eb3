"""One bucket and the client that speaks to it: calls with typed errors, and listings of any length.

Where the requests go and who signs them is the SDK's own business, by its standard variables: AWS_REGION,
AWS_ENDPOINT_URL, AWS_CA_BUNDLE, and keys, a web identity or the instance's role as credentials.
"""

import os
from collections.abc import Iterator
from typing import Any

from model_image.stores import ConflictError, ForbiddenError, NotFoundError, StoreError

_NEXT = {
    "list_objects_v2": {"ContinuationToken": "NextContinuationToken"},
    "list_object_versions": {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"},
    "list_multipart_uploads": {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"},
    "list_parts": {"PartNumberMarker": "NextPartNumberMarker"},
}
_READS = ("get_object", "head_object", "list_objects_v2")
_COLLECTS = ("delete_object", "list_object_versions")


def make_client() -> Any:
    """A client that gives up on a dead endpoint in seconds. An own endpoint gets path-style addresses: its name
    or address has no record for `<bucket>.<endpoint>`. The AWS SDK is imported only here."""
    import boto3
    from botocore.config import Config

    style = "path" if os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_S3") else "auto"
    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=3, read_timeout=30, retries=retries, s3={"addressing_style": style})
    return boto3.client("s3", config=config)


class NotModifiedError(StoreError):
    """The object still has the version that the request named."""


class Bucket:
    """A bucket, which must exist. Without `client` one is made at the first call."""

    def __init__(self, name: str, client: Any = None) -> None:
        self._name = name
        self.client = client

    def __str__(self) -> str:
        return f"s3://{self._name}"

    def call(self, operation: str, key: str | None, **arguments: Any) -> Any:
        """The answer of one operation of S3. Raises the errors of `stores`, and `NotModifiedError`."""
        if key is not None:
            arguments["Key"] = key
        try:
            if self.client is None:
                self.client = make_client()
            return getattr(self.client, operation)(Bucket=self._name, **arguments)
        except failures() as error:
            raise self._typed(error, operation, key or arguments.get("Prefix", "")) from error

    def pages(self, operation: str, key: str | None, **arguments: Any) -> Iterator[Any]:
        """All answers of an operation that lists."""
        token: dict[str, Any] = {}
        while True:
            page = self.call(operation, key, **arguments, **token)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {ours: page[theirs] for ours, theirs in _NEXT[operation].items() if page.get(theirs)}

    def _typed(self, error: Exception, operation: str, key: str) -> StoreError:
        details = getattr(error, "response", {})
        status = details.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code = details.get("Error", {}).get("Code")
        place = f"{self}/{key}"
        if status == 304:
            return NotModifiedError(place)
        if code == "NoSuchBucket":
            return StoreError(f"{place}: no such bucket; create it (the aws stack does) or name another registry")
        if status == 404:
            return NotFoundError(f"{place}: not found")
        if status in (409, 412):
            return ConflictError(f"{place}: changed by somebody else")
        if status == 403 and code in ("AccessDenied", "403"):
            return ForbiddenError(f"{place}: access denied for {operation}; ask with {_role(operation)}")
        return StoreError(f"{place}: {error}")


def _role(operation: str) -> str:
    """Which role of the aws stack's identity may do it (`infra/aws/policies/registry.py`)."""
    if operation in _READS:
        return "a role that reads the registry, such as the publisher's (AWS_PROFILE or AWS_ROLE_ARN names it)"
    part = "collector" if operation in _COLLECTS else "publisher"
    return f"the environment's {part} role, '...-{part}-...' (AWS_PROFILE or AWS_ROLE_ARN names it)"


def failures() -> tuple[type[Exception], ...]:
    """What the SDK raises: refusals of the service, its own troubles, and broken connections while reading."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError
