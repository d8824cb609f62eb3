"""Follow the channel: download, verify, load and warm the release it names, then swap. Never serve a bad one."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from model_image.channel import Channel, ChannelError, behind
from model_image.registry import Registry
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.release import Release
from model_image.stores import StoreError

RETRY_SECONDS = 60.0
"""A refused release is tried again after this, or at once when the channel changes."""

_STOP_SECONDS = 2.0

Load = Callable[[Path, str], Release]


class Refusal(NamedTuple):
    """A release this server does not take, and why."""

    release: str
    reason: str


class Releases:
    """`current` answers requests; it is replaced by one assignment, only when the next is ready to answer."""

    def __init__(
        self,
        *,
        registry: Registry,
        model: str,
        folder: Path,
        load: Load,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder` belongs to this server alone: what it does not need there is removed."""
        self.current: Release | None = None
        self.refused: Refusal | None = None
        self.reachable: bool | None = None
        self._registry = registry
        self._model = model
        self._folder = folder / "releases" / model
        self._load = load
        self._metrics = metrics
        self._clock = clock
        self._channel: Channel | None = None
        self._warned: Channel | None = None
        self._retry_at = 0.0

    def start(self, seconds: float) -> Callable[[], None]:
        """Poll now and then `seconds` apart on a thread of its own; returns the function that ends this.

        A daemon thread: a registry that does not answer must not hold up the exit of the process.
        """
        stopping = threading.Event()

        def run() -> None:
            self.poll()
            while not stopping.wait(seconds):
                self.poll()

        thread = threading.Thread(target=run, name="releases", daemon=True)
        thread.start()

        def stop() -> None:
            stopping.set()
            thread.join(timeout=_STOP_SECONDS)

        return stop

    def poll(self) -> None:
        """Look at the channel once and take the release it names. Never raises."""
        try:
            channel = self._newer(self._registry.channel(self._model, unless=self._channel))
            self._reached(True)
            if channel is not self._channel:
                self._channel, self._retry_at = channel, 0.0
            self._follow(channel.stable)
        except StoreError as error:
            self._reached(False, str(error))
        except ChannelError as error:
            self._refuse("", error)
        except Exception:
            log.exception("poll failed")

    def _newer(self, found: Channel) -> Channel:
        """`found`, or the channel held here when a replica of the cache that is behind gave an earlier one."""
        held = self._channel
        if held is None or not behind(found, held):
            return found
        if self._warned is not held:
            fields = {"registry": str(self._registry), "stable": found.stable, "held": held.stable}
            log.warning("earlier channel ignored, the registry is behind", extra={"fields": fields})
        self._warned = held
        return held

    def _follow(self, wanted: str | None) -> None:
        if wanted is None or (self.current and self.current.digest == wanted):
            self.refused = None
            return
        if self.refused and self.refused.release == wanted and self._clock() < self._retry_at:
            return
        try:
            self._registry.download(self._model, wanted, self._folder / wanted)
            self._metrics.downloaded()
            release = self._load(self._folder / wanted, wanted)
        except StoreError:
            raise
        except Exception as error:  # whatever a release provokes, the one in service stays
            self._refuse(wanted, error)
            return
        previous, self.current, self.refused = self.current, release, None
        self._metrics.serve(wanted)
        log.info("release taken", extra={"fields": {"release": wanted, "before": previous and previous.digest}})
        self._remove_others({wanted} | ({previous.digest} if previous else set()))

    def _refuse(self, release: str, error: Exception) -> None:
        refusal = Refusal(release, f"{type(error).__name__}: {error}")
        self._retry_at = self._clock() + RETRY_SECONDS
        self._metrics.refused.inc()
        if refusal != self.refused:
            log.error("release refused", extra={"fields": refusal._asdict()})
        self.refused = refusal

    def _reached(self, reachable: bool, cause: str = "") -> None:
        self._metrics.registry_up.set(reachable)
        if reachable != self.reachable and not (reachable and self.reachable is None):
            event = "registry answers again" if reachable else "registry unreachable, serving what is here"
            log.warning(event, extra={"fields": {"registry": str(self._registry), "cause": cause}})
        self.reachable = reachable

    def _remove_others(self, keep: set[str]) -> None:
        """Keep the release in service and the one before it, for a quick way back."""
        for folder in self._folder.iterdir():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)
