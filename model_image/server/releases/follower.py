"""From what a channel names to what answers: take, swap, end, in the order that keeps users safe."""

import shutil
from pathlib import Path

from model_image.channel import Channel, former
from model_image.channel_rollback import proven
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.releases.intake import Intake, Want
from model_image.server.releases.refusals import Refusals
from model_image.server.releases.release import Release
from model_image.server.releases.room import Room
from model_image.server.releases.service import Service
from model_image.stores import StoreError


class Follower:
    """Brings `service` to where a channel is, as far as its releases can be taken."""

    def __init__(
        self,
        *,
        service: Service,
        intake: Intake,
        refusals: Refusals,
        room: Room,
        folder: Path,
        metrics: Metrics,
    ) -> None:
        """`folder` holds the releases on disk, by digest; what is not needed there is removed."""
        self._service = service
        self._intake = intake
        self._refusals = refusals
        self._room = room
        self._folder = folder
        self._metrics = metrics
        self._before: str | None = None
        self._begun = False

    def follow(self, channel: Channel) -> None:
        """Raises `StoreError` when the stable release cannot be had just now, and `AbandonedError` when the channel
        names something else meanwhile; what answers then stays."""
        named = channel.canary if channel.canary_percent else None
        if channel.stable and not self._begun:  # a process that was killed leaves what it was downloading
            self._begun, self._before = True, next(reversed(former(channel)), None)
            self._remove_but(channel.stable, named, self._before)
        self._room.waiting = None
        self._end_canary_unless(named, channel.stable)
        self._follow_stable(channel, named)
        if self._room.waiting is None:  # else a canary would take the room that the stable release waits for
            self._follow_canary(channel, named)

    def _end_canary_unless(self, *digests: str | None) -> None:
        """First of all, and before anything is loaded: a canary may be ended because it answers badly."""
        canary = self._service.canary
        if canary and canary.digest not in digests:
            self._end_canary()

    def _end_canary(self) -> None:
        canary = self._service.canary
        self._service.end_canary()
        self._metrics.serve_canary(None)
        log.info("canary ended", extra={"fields": {"release": canary and canary.digest}})

    def _follow_stable(self, channel: Channel, canary: str | None) -> None:
        before, wanted = self._service.stable, channel.stable
        if wanted is None or _is(before, wanted):
            self._refusals.settle("stable")
            return
        if (release := self._service.canary) is not None and release.digest == wanted:
            self._service.promote_canary()
            self._metrics.serve_canary(None)
            self._refusals.settle("stable")
        elif release := self._take("stable", wanted, channel):
            self._service.take_stable(release)
        else:
            return
        self._before = before.digest if before else self._before
        self._metrics.serve(wanted, release.labels)
        log.info("release taken", extra={"fields": {"release": wanted, "before": before and before.digest}})
        self._remove_but(wanted, self._before, canary)

    def _follow_canary(self, channel: Channel, wanted: str | None) -> None:
        service, percent = self._service, channel.canary_percent
        if wanted is None or service.stable is None or _is(service.stable, wanted):
            self._refusals.settle("canary")
            return
        if _is(service.canary, wanted):
            service.set_percent(percent)
            return
        try:
            release = self._take("canary", wanted, channel)
        except StoreError as error:  # the registry answered just now; a site's cache brings the stable release first
            log.warning("canary not here yet", extra={"fields": {"release": wanted, "cause": str(error)}})
            return
        if release is not None:
            service.take_canary(release, percent)
            self._metrics.serve_canary(wanted, release.labels)
            log.info("canary taken", extra={"fields": {"release": wanted, "percent": percent}})
            self._remove_but(service.stable.digest, self._before, wanted)

    def _take(self, place: str, wanted: str, channel: Channel) -> Release | None:
        want = Want(
            place,
            wanted,
            tidy=lambda: self._remove_but(channel.stable, channel.canary),
            proven=proven(channel, wanted),
            give_way=self._end_canary if place == "stable" else None,
        )
        return self._intake.take(want, beside=self._service)

    def _remove_but(self, *named: str | None) -> None:
        """Keep what is in service, for the next start, and those `named`: the quick ways on and back."""
        serving = {release.digest for release in (self._service.stable, self._service.canary) if release}
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if folder.name not in serving.union(named):
                shutil.rmtree(folder, ignore_errors=True)


def _is(release: Release | None, digest: str) -> bool:
    return release is not None and release.digest == digest
