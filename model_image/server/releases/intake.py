"""From a digest to a release that may serve: download, room in memory, load, gate. A bad one is left."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from model_image.artefact import Manifest
from model_image.download import GoOn
from model_image.registry_errors import DiskFullError
from model_image.server.errors import BackendLostError
from model_image.server.metrics import Metrics
from model_image.server.releases.gate import Gate
from model_image.server.releases.lookout import AbandonedError
from model_image.server.releases.need import need
from model_image.server.releases.refusals import Refusals
from model_image.server.releases.release import Release
from model_image.server.releases.room import GiveWay, Room
from model_image.server.releases.service import Service
from model_image.stores import StoreError

Download = Callable[[str, Path], Manifest]
Load = Callable[[Path, str], Release]


class Want(NamedTuple):
    """A release to take for a place in the channel.

    `proven`: it was stable before and not rolled back from, and is taken as fast as it is. `give_way` ends the canary,
    for one that has no room beside it; `tidy` removes from the disk what is not needed.
    """

    place: str
    digest: str
    tidy: Callable[[], None]
    proven: bool = False
    give_way: GiveWay | None = None


class Intake:
    """Releases are taken one after another, each for its place in the channel; what is refused is kept by place."""

    def __init__(
        self,
        *,
        folder: Path,
        download: Download,
        load: Load,
        go_on: GoOn,
        metrics: Metrics,
        gate: Gate,
        room: Room,
        refusals: Refusals,
    ) -> None:
        """`go_on` raises `AbandonedError` where going on is in vain; `download` may call it as well."""
        self._folder = folder
        self._download = download
        self._load = load
        self._go_on = go_on
        self._metrics = metrics
        self._gate = gate
        self._room = room
        self._refusals = refusals

    def take(self, want: Want, *, beside: Service) -> Release | None:
        """The release wanted, loaded, warm and not too slow; None when it is refused or has to wait for room.

        Raises `StoreError` for a registry that cannot be reached, `AbandonedError`, and `BackendLostError`: then this
        process cannot load any release.
        """
        place, wanted = want.place, want.digest
        if not self._refusals.due(place, wanted):
            return None
        try:
            manifest = self._fetch(want)
            self._metrics.downloaded()
            if not self._has_room(want, manifest, beside):
                return None
            self._go_on()
            release = self._load(self._folder / wanted, wanted)
            self._try(release, None if want.proven else beside.stable)
        except (StoreError, AbandonedError, BackendLostError):
            raise
        except Exception as error:  # whatever a release provokes, the one in service stays
            self._refusals.refuse(place, wanted, error)
            return None
        self._refusals.settle(place)
        return release

    def _fetch(self, want: Want) -> Manifest:
        target = self._folder / want.digest
        try:
            return self._download(want.digest, target)
        except DiskFullError:
            want.tidy()
            return self._download(want.digest, target)

    def _has_room(self, want: Want, manifest: Manifest, beside: Service) -> bool:
        folder = self._folder / want.digest
        return self._room.has(
            want.digest, lambda served: need(folder, manifest, served), beside=beside, give_way=want.give_way
        )

    def _try(self, release: Release, serving: Release | None) -> None:
        """Time a loaded release against the one `serving`, if any; what is not wanted then is closed."""
        try:
            self._go_on()
            if serving is not None:
                self._gate.check(release, serving)
        except BaseException:
            release.close()
            raise
