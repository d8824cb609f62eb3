"""The releases this server does not take, by the place in the channel that names them: why, and when it tries again."""

from typing import NamedTuple

from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.releases.retry import Retries

PLACES = ("channel", "stable", "canary")
"""Where a release is named; "channel" is for one that cannot be read at all."""


class Refusal(NamedTuple):
    """A release this server does not take, and why."""

    release: str
    reason: str

    @property
    def kind(self) -> str:
        """The name of the error alone: what `reason` says beyond it has paths and names."""
        return self.reason.partition(":")[0]


class Refusals:
    """What is refused is reported once, in the log and as a metric, and left alone until `retries` has it tried."""

    def __init__(self, metrics: Metrics, retries: Retries) -> None:
        self._refusals: dict[str, Refusal] = {}
        self._metrics = metrics
        self._retries = retries

    @property
    def worst(self) -> Refusal | None:
        """Of several, the one that matters most."""
        refusals = dict(self._refusals)  # the poll goes on meanwhile
        return next((refusals[place] for place in PLACES if place in refusals), None)

    def due(self, place: str, wanted: str) -> bool:
        """Whether `wanted` is to be tried at `place` now; what was refused there before it is forgotten."""
        refusal = self._refusals.get(place)
        if refusal and refusal.release != wanted:
            self.settle(place)
            return True
        return not refusal or self._retries.due(place)

    def due_now(self) -> None:
        """Everything is: the channel changed."""
        self._retries.now()

    def refuse(self, place: str, release: str, error: Exception) -> None:
        """Report that `release` is not taken, and leave it alone for a while."""
        refusal = Refusal(release, f"{type(error).__name__}: {error}")
        known = refusal == self._refusals.get(place)
        self._retries.later(place, error)
        if not known or release:  # a channel that stays unreadable is met at each poll, a release only when tried
            self._metrics.refused.inc()
        if not known:
            log.error("release refused", extra={"fields": {**refusal._asdict(), "place": place}})
        self._refusals[place] = refusal
        self._tell()

    def settle(self, place: str) -> None:
        """Forget what was refused at `place`: the channel names something else there by now, or it was taken."""
        if self._refusals.pop(place, None):
            self._tell()
        self._retries.forget(place)

    def _tell(self) -> None:
        self._metrics.refuse((refusal.release, refusal.kind) for refusal in self._refusals.values())
