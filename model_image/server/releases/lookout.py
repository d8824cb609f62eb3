"""The channel as this server last read it, and whether the registry answers."""

from collections.abc import Callable
from contextlib import suppress

from model_image.channel import Channel, ChannelError, behind
from model_image.registry import Registry
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.stores import StoreError


class AbandonedError(Exception):
    """The channel names other releases by now; what was under way is given up."""


class Lookout:
    """`seconds` lie between two looks; `reachable` is None before the first."""

    def __init__(
        self,
        registry: Registry,
        model: str,
        *,
        metrics: Metrics,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called when a look finds another channel."""
        self.reachable: bool | None = None
        self.seconds = 0.0
        self._registry = registry
        self._model = model
        self._metrics = metrics
        self._clock = clock
        self._changed = changed
        self._next = 0.0
        self._channel: Channel | None = None
        self._warned: Channel | None = None

    def look(self) -> Channel:
        """The channel, read now. Raises `StoreError` or `ChannelError`."""
        self._next = self._clock() + self.seconds
        found = self._newer(self._registry.channel(self._model, unless=self._channel))
        self.reached(True)
        if found is not self._channel:
            self._channel = found
            self._changed()
        return found

    def go_on(self) -> None:
        """Raise `AbandonedError` when the channel names other releases than at the last look.

        Bringing a release takes minutes, and a rollback must not wait for it: the channel is read meanwhile as often as
        at other times, whenever this is called.
        """
        before = self._channel
        if before is None or self._clock() < self._next:
            return
        with suppress(StoreError, ChannelError):  # the next poll tells
            if _named(self.look()) != _named(before):
                raise AbandonedError

    def reached(self, reachable: bool, cause: str = "") -> None:
        """Report whether the registry answers."""
        self._metrics.registry_up.set(reachable)
        if reachable != self.reachable and not (reachable and self.reachable is None):
            event = "registry answers again" if reachable else "registry unreachable, serving what is here"
            log.warning(event, extra={"fields": {"registry": str(self._registry), "cause": cause}})
        self.reachable = reachable

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


def _named(channel: Channel) -> tuple[str | None, str | None]:
    return channel.stable, channel.canary if channel.canary_percent else None
