"""From what a channel names to what answers: take, swap, end, in the order that keeps users safe."""

import shutil
from pathlib import Path

from model_image.channel import Channel
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.releases.intake import Intake
from model_image.server.releases.release import Release
from model_image.server.releases.service import Service
from model_image.stores import StoreError


class Follower:
    """Brings `service` to where a channel is, as far as its releases can be taken."""

    def __init__(self, *, service: Service, intake: Intake, folder: Path, metrics: Metrics) -> None:
        """`folder` holds the releases on disk, by digest; what is not needed there is removed."""
        self._service = service
        self._intake = intake
        self._folder = folder
        self._metrics = metrics
        self._before: str | None = None

    def follow(self, channel: Channel) -> None:
        """Raises `StoreError` when the stable release cannot be had just now; what answers then stays."""
        named = channel.canary if channel.canary_percent else None
        self._end_canary_unless(named, channel.stable)
        self._follow_stable(channel.stable, named)
        self._follow_canary(named, channel.canary_percent)

    def _end_canary_unless(self, *digests: str | None) -> None:
        """First of all, and before anything is loaded: a canary may be ended because it answers badly."""
        canary = self._service.canary
        if canary and canary.digest not in digests:
            self._service.end_canary()
            self._metrics.serve_canary(None)
            log.info("canary ended", extra={"fields": {"release": canary.digest}})

    def _follow_stable(self, wanted: str | None, canary: str | None) -> None:
        before = self._service.stable
        if wanted is None or _is(before, wanted):
            self._intake.settle("stable")
            return
        if _is(self._service.canary, wanted):
            self._service.promote_canary()
            self._metrics.serve_canary(None)
            self._intake.settle("stable")
        elif release := self._intake.take("stable", wanted, beside=self._service):
            self._service.take_stable(release)
        else:
            return
        self._before = before.digest if before else None
        self._metrics.serve(wanted)
        log.info("release taken", extra={"fields": {"release": wanted, "before": self._before}})
        self._remove_others(canary)

    def _follow_canary(self, wanted: str | None, percent: int) -> None:
        service = self._service
        if wanted is None or service.stable is None or _is(service.stable, wanted):
            self._intake.settle("canary")
            return
        if _is(service.canary, wanted):
            service.set_percent(percent)
            return
        try:
            release = self._intake.take("canary", wanted, beside=service)
        except StoreError as error:  # the registry answered just now; a site's cache brings the stable release first
            log.warning("canary not here yet", extra={"fields": {"release": wanted, "cause": str(error)}})
            return
        if release is not None:
            service.take_canary(release, percent)
            self._metrics.serve_canary(wanted)
            log.info("canary taken", extra={"fields": {"release": wanted, "percent": percent}})
            self._remove_others(wanted)

    def _remove_others(self, canary: str | None) -> None:
        """Keep the releases in service, the one before for a quick way back, and the canary that is named."""
        stable = self._service.stable
        keep = {stable and stable.digest, self._before, canary}
        for folder in self._folder.iterdir():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)


def _is(release: Release | None, digest: str) -> bool:
    return release is not None and release.digest == digest
