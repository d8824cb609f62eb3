"""Brings releases from the registry onto the shelf, within its bound."""

from collections.abc import Callable, Set

from model_image.artefact import ArtefactError
from model_image.cache.shelf import Shelf
from model_image.registry import Registry
from model_image.registry_errors import RegistryError
from model_image.server.logs import log

RETRY_SECONDS = 60.0
"""A release that could not be brought is tried again after this: each look would cost its size again and again."""


class CacheError(Exception):
    """What the registry names cannot be held; the message says what to do."""


class Supply:
    """`clock` is in seconds; `most_bytes` bounds all releases on the shelf together."""

    def __init__(
        self, registry: Registry, model: str, shelf: Shelf, *, most_bytes: int, clock: Callable[[], float]
    ) -> None:
        self._registry, self._model, self._shelf = registry, model, shelf
        self._most_bytes, self._clock = most_bytes, clock
        self._refused: dict[str, tuple[float, Exception]] = {}

    def fetch(self, digest: str, *, keep: Set[str]) -> None:
        """Put a release on the shelf, giving up none of `keep` for it. Nothing to do when it is there.

        Raises `StoreError`, which the next look may be free of; or `CacheError`, `RegistryError`, `ArtefactError` or
        `OSError` (a full disk), which are raised again until it is time for another try.
        """
        if digest in self._shelf.releases:
            return
        retry_at, refusal = self._refused.get(digest, (0.0, CacheError()))
        if self._clock() < retry_at:
            raise refusal
        try:
            self._make_room(self._registry.manifest(self._model, digest).size, digest, keep)
            self._shelf.releases[digest] = self._registry.download(self._model, digest, self._shelf.folder / digest)
        except (CacheError, RegistryError, ArtefactError, OSError) as error:
            self._refused[digest] = (self._clock() + RETRY_SECONDS, error)
            log.error("release not brought", extra={"fields": {"release": digest, "cause": str(error)}})
            raise
        self._refused.pop(digest, None)
        log.info("release held", extra={"fields": {"release": digest}})

    def _make_room(self, size: int, digest: str, keep: Set[str]) -> None:
        needed = sum(manifest.size for held, manifest in self._shelf.releases.items() if held in keep)
        if needed + size > self._most_bytes:  # said before anything is given up in vain
            raise CacheError(
                f"release {digest}: {size} bytes beside {needed} that are needed, the cache may hold "
                f"{self._most_bytes}; raise cache.size"
            )
        for other in list(self._shelf.releases):  # in the order in which they came
            if self._shelf.size + size <= self._most_bytes:
                return
            if other not in keep:
                self._shelf.drop(other)
