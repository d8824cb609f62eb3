"""Keeps the shelf like the registry: looks at the channel, brings what it names, then hands the channel on."""

import threading
import time
from collections.abc import Callable, Iterator

from model_image import channel as channels
from model_image.artefact import ArtefactError
from model_image.cache.metrics import Metrics
from model_image.cache.shelf import Shelf, names
from model_image.cache.supply import CacheError, Supply
from model_image.channel import Channel
from model_image.registry import Registry
from model_image.registry_errors import RegistryError
from model_image.server.logs import log

CHECK_SECONDS = 3600.0
"""All bytes are read this far apart: damage that no reader meets is best found while the registry can be reached."""


class Mirror:
    """`look` once, or `start` to look for ever.

    `trouble` is what kept the last look from its end, "" when nothing did; `looked` is true after the first whole one.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        model: str,
        shelf: Shelf,
        metrics: Metrics,
        rollbacks: int,
        most_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble = ""
        self.looked = False
        self._registry, self._model = registry, model
        self._shelf, self._metrics = shelf, metrics
        self._rollbacks, self._clock = rollbacks, clock
        self._supply = Supply(registry, model, shelf, most_bytes=most_bytes, clock=lambda: self._clock())
        self._seen: Channel | None = None
        self._checked_at: float | None = None
        self._wake = threading.Event()

    def start(self, seconds: float) -> None:
        """Look now and then `seconds` apart, on a daemon thread: nothing there holds up the exit."""

        def run() -> None:
            while True:
                self.look()
                self._wake.wait(seconds)
                self._wake.clear()

        threading.Thread(target=run, name="mirror", daemon=True).start()

    def look(self) -> None:
        """Bring the shelf up to the registry once. Never raises: what is here stays served."""
        try:
            self._inspect()
            channel = self._registry.channel(self._model, unless=self._seen)
            self._bring(channel)
            self._seen, self.looked, trouble = channel, True, ""
            self._metrics.synced()
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
            self._metrics.failures.inc()
        if trouble != self.trouble:
            event = "the registry is as it should be again" if not trouble else "not up to date, serving what is here"
            log.warning(event, extra={"fields": {"cause": trouble or self.trouble}})
        self.trouble = trouble
        self._measure()

    def broken(self, digest: str, cause: Exception) -> None:
        """A reader met a damaged file: its release is not offered any more, and brought again at once."""
        if digest in self._shelf.releases:
            self._metrics.broken.inc()
            log.error("held release is damaged", extra={"fields": {"release": digest, "cause": str(cause)}})
            self._shelf.drop(digest)
            self._wake.set()

    def _inspect(self) -> None:
        """Take the volume over at the first look; later read all of it now and then."""
        if self._checked_at is None:
            self._shelf.open()
        elif self._clock() < self._checked_at + CHECK_SECONDS:
            return
        else:
            for digest in list(self._shelf.releases):
                try:
                    self._shelf.check(digest)
                except ArtefactError as error:
                    self.broken(digest, error)
        self._checked_at = self._clock()

    def _bring(self, channel: Channel) -> None:
        wanted = names(channel)
        if not wanted:
            if self._shelf.channel:
                raise CacheError(f"{self._registry}: the channel of {self._model!r} is gone; promote a release again")
            return
        for digest in sorted(wanted):
            self._supply.fetch(digest, keep=wanted | self._shelf.named)
        if self._shelf.channel is None or channels.encode(channel) != channels.encode(self._shelf.channel):
            self._shelf.hand_on(channel)
            log.info("channel handed on", extra={"fields": {"stable": channel.stable, "canary": channel.canary}})
        kept = set(wanted)
        for digest in self._earlier(channel):
            kept.add(digest)
            try:
                self._supply.fetch(digest, keep=kept)
            except (CacheError, RegistryError):  # a way back is worth having, not worth failing for
                kept.discard(digest)
        for digest in set(self._shelf.releases) - kept:
            self._shelf.drop(digest)

    def _earlier(self, channel: Channel) -> Iterator[str]:
        """The last releases before those that are named now, the newest first."""
        found: dict[str, None] = dict.fromkeys(change.release for change in reversed(channel.history))
        earlier = [digest for digest in found if digest not in names(channel)]
        yield from earlier[: self._rollbacks]

    def _measure(self) -> None:
        self._metrics.ready.set(self._shelf.whole)
        self._metrics.bytes.set(self._shelf.size)
        self._metrics.releases.set(len(self._shelf.releases))
