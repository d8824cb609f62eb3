"""Keeps the shelf like the registry: brings what the channel names, and hands it on once its stable release is here.

All that is brought or removed is brought or removed on one thread.
"""

import threading
import time
from collections.abc import Callable, Iterator

from model_image import channel as channels
from model_image.artefact import Manifest
from model_image.cache.metrics import Metrics
from model_image.cache.shelf import BrokenFileError, Shelf
from model_image.cache.supply import CacheError, Supply
from model_image.channel import Channel
from model_image.registry import Registry
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

    def doubt(self, digest: str, manifest: Manifest) -> None:
        """A reader of this very copy met a damaged file: it is not offered until it is checked. From any thread."""
        if self._shelf.offered(digest) is manifest:  # a slow reader's copy may have been replaced since
            self._shelf.doubted[digest] = manifest
            self._wake.set()

    def _inspect(self) -> None:
        """Take the volume over at the first look; later check what a reader doubts, and now and then all of it."""
        suspects = dict(self._shelf.doubted)
        if self._checked_at is None:
            self._shelf.open()
            self._checked_at = self._clock()
        elif self._clock() >= self._checked_at + CHECK_SECONDS:
            self._checked_at = self._clock()  # before the check: one that fails is not repeated at each look
            suspects |= self._shelf.releases
        for digest, manifest in suspects.items():
            if self._shelf.releases.get(digest) is manifest:
                self._check(digest)
            self._shelf.doubted.pop(digest, None)

    def _check(self, digest: str) -> None:
        try:
            self._shelf.check(digest)
        except BrokenFileError as error:
            self._metrics.broken.inc()
            log.error("held release is damaged", extra={"fields": {"release": digest, "cause": str(error)}})
            self._shelf.drop(digest)
        except OSError as error:  # no word on the bytes, and every reader checks them: it stays
            log.warning("held release not checked", extra={"fields": {"release": digest, "cause": str(error)}})

    def _bring(self, channel: Channel) -> None:
        if channel.stable is None:
            if self._shelf.channel:
                raise CacheError(f"{self._registry}: the channel of {self._model!r} is gone; promote a release again")
            return
        self._supply.fetch(channel.stable, keep={channel.stable} | self._shelf.needed)
        if self._shelf.channel is None or channels.encode(channel) != channels.encode(self._shelf.channel):
            self._shelf.hand_on(channel)
            log.info("channel handed on", extra={"fields": {"stable": channel.stable, "canary": channel.canary}})
        kept = {channel.stable}
        if channel.canary:  # servers go on without it until it is here, so nothing else may wait for it
            kept.add(channel.canary)
            self._supply.fetch(channel.canary, keep=kept)
        for digest in self._earlier(channel):
            kept.add(digest)
            try:
                self._supply.fetch(digest, keep=kept)
            except Exception:  # a way back is worth having, not worth failing for
                kept.discard(digest)
        for digest in set(self._shelf.releases) - kept:
            self._shelf.drop(digest)

    def _earlier(self, channel: Channel) -> Iterator[str]:
        """The last releases before those that are named now, the newest first."""
        found: dict[str, None] = dict.fromkeys(change.release for change in reversed(channel.history))
        earlier = [digest for digest in found if digest not in (channel.stable, channel.canary)]
        yield from earlier[: self._rollbacks]

    def _measure(self) -> None:
        self._metrics.ready.set(self._shelf.whole)
        self._metrics.bytes.set(self._shelf.size)
        self._metrics.releases.set(len(self._shelf.releases))
