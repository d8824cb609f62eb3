"""A registry cache as object store: read only, over plain HTTP inside the cluster.

Nothing has to be trusted but the channel: who reads a release checks every byte against the digest that it asked for.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from model_image.stores import Entry, Leftover, NotFoundError, Stored, StoreError

if TYPE_CHECKING:
    import urllib3

_CHUNK = 1 << 20
CONNECT_SECONDS, READ_SECONDS = 3.0, 30.0


class HttpStore:
    """Objects under `address` (`http://<host>:<port>`). The version of an object is its ETag."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._made: urllib3.PoolManager | None = None

    def __str__(self) -> str:
        return self._address

    def get(self, key: str, *, unless: str | None = None) -> Stored | None:
        with self._open(key, {"If-None-Match": unless} if unless else {}) as answer:
            if answer.status == 304:
                return None
            return Stored(b"".join(self._pieces(key, answer)), answer.headers.get("ETag", ""))

    def chunks(self, key: str) -> Generator[bytes]:
        with self._open(key, {}) as answer:
            yield from self._pieces(key, answer)

    def put(self, key: str, data: bytes, *, expected: str | None) -> None:
        raise self._read_only(key)

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        raise self._read_only(key)

    def folders(self, prefix: str) -> list[str]:
        raise self._unlisted(prefix)

    def below(self, prefix: str) -> list[Entry]:
        raise self._unlisted(prefix)

    def delete(self, key: str) -> None:
        raise self._read_only(key)

    def leftovers(self, prefix: str) -> list[Leftover]:
        raise self._unlisted(prefix)

    def discard(self, leftover: Leftover) -> None:
        raise self._read_only(leftover.key)

    def _open(self, key: str, headers: dict[str, str]) -> "urllib3.BaseHTTPResponse":
        try:
            answer = self._pool().request("GET", f"{self}/{quote(key)}", headers=headers, preload_content=False)
        except _failures() as error:
            raise StoreError(f"{self}/{key}: {error}") from error
        if answer.status in (200, 304):
            return answer
        with answer:
            if answer.status == 404:
                raise NotFoundError(f"{self}/{key}: not found")
            # 503 is a cache that does not hold the object yet, which is no word on whether it exists.
            raise StoreError(f"{self}/{key}: status {answer.status}")

    def _pieces(self, key: str, answer: Any) -> Iterator[bytes]:
        try:
            yield from answer.stream(_CHUNK)
        except _failures() as error:
            raise StoreError(f"{self}/{key}: {error}") from error

    def _pool(self) -> "urllib3.PoolManager":
        if self._made is None:
            import urllib3

            # One quick repeat: an idle connection may have lost its cache since the last look.
            retries = urllib3.Retry(total=1, redirect=False, status=False, respect_retry_after_header=False)
            times = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
            self._made = urllib3.PoolManager(retries=retries, timeout=times)
        return self._made

    def _read_only(self, key: str) -> StoreError:
        return StoreError(f"{self}/{key}: a registry cache is read only; write to the registry itself, s3://<bucket>")

    def _unlisted(self, prefix: str) -> StoreError:
        rule = "a registry cache is read only and lists nothing; ask the registry itself, s3://<bucket>"
        return StoreError(f"{self}/{prefix}: {rule}")


def _failures() -> tuple[type[Exception], ...]:
    from urllib3.exceptions import HTTPError

    return HTTPError, OSError
