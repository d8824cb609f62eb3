"""Follow the channel: take the releases it names, then swap. Never serve a bad one."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from model_image.channel import ChannelError
from model_image.registry import Registry
from model_image.server.errors import BackendLostError
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.releases.follower import Follower
from model_image.server.releases.gate import Gate
from model_image.server.releases.intake import Intake, Load
from model_image.server.releases.lookout import AbandonedError, Lookout
from model_image.server.releases.refusals import Refusal, Refusals
from model_image.server.releases.release import Release
from model_image.server.releases.retry import Retries
from model_image.server.releases.room import Room
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
        lost: Callable[[BackendLostError], None] = lambda error: None,
    ) -> None:
        """`folder` belongs to this server alone: what it does not need there is removed. `budget`: see `Room`. `lost`
        is called when the backend is, which only a new process gets back."""
        self._lost = lost
        held = folder / "releases" / model
        self._metrics = metrics
        self._service = Service(model)
        self._room = Room(budget)
        self._refusals = refusals = Refusals(metrics, Retries(clock))
        self._lookout = Lookout(registry, model, metrics=metrics, clock=clock, changed=refusals.due_now)
        self._intake = Intake(
            folder=held,
            download=lambda digest, target: registry.download(model, digest, target, go_on=self._lookout.go_on),
            load=load,
            go_on=self._lookout.go_on,
            metrics=metrics,
            gate=Gate(max_slowdown),
            room=self._room,
            refusals=refusals,
        )
        self._follower = Follower(
            service=self._service, intake=self._intake, refusals=refusals, room=self._room, folder=held, metrics=metrics
        )

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
    def reachable(self) -> bool | None:
        """Whether the registry answered the last look; None before the first."""
        return self._lookout.reachable

    @property
    def refused(self) -> Refusal | None:
        """What the channel names and this server does not take; of two, the stable one."""
        return self._refusals.worst

    @property
    def waiting(self) -> str | None:
        """What the channel names and this server takes once former releases have left memory."""
        return self._room.waiting

    def of(self, user: str | None) -> AbstractContextManager[Release | None]:
        """The release that answers `user`, or None; it stays usable within the block."""
        return self._service.of(user)

    def start(self, seconds: float) -> Callable[[], None]:
        """Poll now and then `seconds` apart on a thread of its own; returns the function that ends this.

        A daemon thread: a registry that does not answer must not hold up the exit of the process.
        """
        stopping = threading.Event()
        self._lookout.seconds = seconds

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
        """Look at the channel and take the releases it names; again where it changed meanwhile. Never raises."""
        while self._follow():
            pass
        self._metrics.release_memory.set((self._service.memory + self._service.leaving_memory).host)
        self._metrics.release_waiting.set(self.waiting is not None)

    def _follow(self) -> bool:
        """Whether the channel changed meanwhile."""
        try:
            self._service.sweep()
            channel = self._lookout.look()
            self._refusals.settle("channel")
            self._follower.follow(channel)
        except AbandonedError:
            log.info("channel changed meanwhile, what was under way is given up")
            return True
        except StoreError as error:
            self._lookout.reached(False, str(error))
        except BackendLostError as error:
            self._lost(error)
        except ChannelError as error:
            self._refusals.refuse("channel", "", error)
        except Exception:
            log.exception("poll failed")
        return False
