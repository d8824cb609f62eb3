"""Follow the channel: take the releases it names, then swap. Never serve a bad one."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from model_image.channel import Channel, ChannelError, behind
from model_image.registry import Registry
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.releases.follower import Follower
from model_image.server.releases.gate import Gate
from model_image.server.releases.intake import Intake, Load, Refusal
from model_image.server.releases.release import Release
from model_image.server.releases.service import Service
from model_image.stores import StoreError

_STOP_SECONDS = 2.0


class Releases:
    """The stable release and the canary of a channel, as far as this server could take them."""

    def __init__(
        self,
        *,
        registry: Registry,
        model: str,
        folder: Path,
        load: Load,
        metrics: Metrics,
        max_slowdown: float = 3.0,
        budget: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder` belongs to this server alone: what it does not need there is removed. `budget`: see `Intake`."""
        self.reachable: bool | None = None
        held = folder / "releases" / model
        self._registry = registry
        self._model = model
        self._metrics = metrics
        self._service = Service(model)
        self._intake = Intake(
            folder=held,
            download=lambda digest, target: self._registry.download(model, digest, target),
            load=load,
            metrics=metrics,
            gate=Gate(max_slowdown),
            budget=budget,
            clock=clock,
        )
        self._follower = Follower(service=self._service, intake=self._intake, folder=held, metrics=metrics)
        self._channel: Channel | None = None
        self._warned: Channel | None = None

    @property
    def current(self) -> Release | None:
        """The stable release in service."""
        return self._service.stable

    @property
    def canary(self) -> Release | None:
        """The release in service that answers `canary_percent` of the users."""
        return self._service.canary

    @property
    def canary_percent(self) -> int:
        """0 while no canary is in service."""
        return self._service.percent

    @property
    def refused(self) -> Refusal | None:
        """What the channel names and this server does not take; of two, the stable one."""
        return self._intake.refused

    def of(self, user: str | None) -> AbstractContextManager[Release | None]:
        """The release that answers `user`, or None; it stays usable within the block."""
        return self._service.of(user)

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
        """Look at the channel once and take the releases it names. Never raises."""
        try:
            self._service.sweep()
            channel = self._newer(self._registry.channel(self._model, unless=self._channel))
            self._reached(True)
            self._intake.settle("channel")
            if channel is not self._channel:
                self._channel = channel
                self._intake.try_again()
            self._follower.follow(channel)
        except StoreError as error:
            self._reached(False, str(error))
        except ChannelError as error:
            self._intake.refuse("channel", "", error)
        except Exception:
            log.exception("poll failed")
        self._metrics.release_memory.set(self._service.bytes + self._service.leaving_bytes)

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

    def _reached(self, reachable: bool, cause: str = "") -> None:
        self._metrics.registry_up.set(reachable)
        if reachable != self.reachable and not (reachable and self.reachable is None):
            event = "registry answers again" if reachable else "registry unreachable, serving what is here"
            log.warning(event, extra={"fields": {"registry": str(self._registry), "cause": cause}})
        self.reachable = reachable
