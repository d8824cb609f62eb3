"""From a digest to a release that may serve: download, room in memory, load, gate. A bad one is reported and left."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from model_image.artefact import Manifest
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.releases.gate import Gate
from model_image.server.releases.memory import make_sure
from model_image.server.releases.release import Release
from model_image.server.releases.service import Service
from model_image.stores import StoreError

RETRY_SECONDS = 60.0
"""A refused release is tried again after this, or at once when the channel changes."""

PLACES = ("channel", "stable", "canary")
"""Where a release is named; "channel" is for one that cannot be read at all."""

Download = Callable[[str, Path], Manifest]
Load = Callable[[Path, str], Release]


class Refusal(NamedTuple):
    """A release this server does not take, and why."""

    release: str
    reason: str


class Intake:
    """Releases are taken one after another, each for its place in the channel; what is refused is kept by place."""

    def __init__(
        self,
        *,
        folder: Path,
        download: Download,
        load: Load,
        metrics: Metrics,
        gate: Gate,
        budget: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`budget` is what all releases together may take of memory, in bytes; None: no bound."""
        self._refusals: dict[str, Refusal] = {}
        self._folder = folder
        self._download = download
        self._load = load
        self._metrics = metrics
        self._gate = gate
        self._budget = budget
        self._clock = clock
        self._retry_at: dict[str, float] = {}

    @property
    def refused(self) -> Refusal | None:
        """Of several, the one that matters most."""
        refusals = dict(self._refusals)  # the poll goes on meanwhile
        return next((refusals[place] for place in PLACES if place in refusals), None)

    def take(self, place: str, wanted: str, *, beside: Service) -> Release | None:
        """The release `wanted`, loaded, warm and not too slow; None when it is refused or has to wait for room.

        Raises `StoreError` for a registry that cannot be reached.
        """
        refusal = self._refusals.get(place)
        if refusal and refusal.release != wanted:
            self.settle(place)
        elif refusal and self._clock() < self._retry_at[place]:
            return None
        try:
            manifest = self._download(wanted, self._folder / wanted)
            self._metrics.downloaded()
            if not self._has_room(manifest.size, beside):
                return None
            release = self._load(self._folder / wanted, wanted)
            if beside.stable is not None:
                self._compare(release, beside.stable)
        except StoreError:
            raise
        except Exception as error:  # whatever a release provokes, the one in service stays
            self.refuse(place, wanted, error)
            return None
        self.settle(place)
        return release

    def refuse(self, place: str, release: str, error: Exception) -> None:
        """Report that `release` is not taken, and leave it alone for `RETRY_SECONDS`."""
        refusal = Refusal(release, f"{type(error).__name__}: {error}")
        self._retry_at[place] = self._clock() + RETRY_SECONDS
        self._metrics.refused.inc()
        if refusal != self._refusals.get(place):
            log.error("release refused", extra={"fields": {**refusal._asdict(), "place": place}})
        self._refusals[place] = refusal

    def settle(self, place: str) -> None:
        """Forget what was refused at `place`: the channel names something else there by now, or it was taken."""
        self._refusals.pop(place, None)

    def try_again(self) -> None:
        """The channel changed: what was refused gets its next try at once."""
        self._retry_at = dict.fromkeys(self._retry_at, 0.0)

    def _has_room(self, needed: int, beside: Service) -> bool:
        """Whether there is room now. Raises `NoRoomError` where waiting for the former releases to leave is in vain.

        The size of its files is about what a release takes: weights and vectors stay as they are stored, or shrink.
        """
        if self._budget is None:
            return True
        make_sure(needed, held=beside.bytes, budget=self._budget)
        leaving = beside.leaving_bytes
        return not leaving or beside.bytes + leaving + needed <= self._budget

    def _compare(self, release: Release, serving: Release) -> None:
        try:
            self._gate.check(release, serving)
        except BaseException:
            release.close()
            raise
