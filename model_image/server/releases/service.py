"""What answers now: the stable release, the canary beside it, and the former ones whose requests are not done yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from model_image.canary import chosen
from model_image.server.releases.held import Held
from model_image.server.releases.memory import Memory
from model_image.server.releases.release import Release


class _Serving(NamedTuple):
    """Replaced as a whole by one assignment: a request sees the state before a swap or the one after it."""

    stable: Held[Release] | None = None
    canary: Held[Release] | None = None
    percent: int = 0


class Service:
    """`of` may be called from any thread, all that changes something from one alone."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._now = _Serving()
        self._leaving: list[Held[Release]] = []

    @property
    def stable(self) -> Release | None:
        return _value(self._now.stable)

    @property
    def canary(self) -> Release | None:
        return _value(self._now.canary)

    @property
    def percent(self) -> int:
        """Of users that the canary answers; 0 without one."""
        return self._now.percent

    @property
    def memory(self) -> Memory:
        """Of the releases that answer."""
        return Memory.total(release.memory for release in (self.stable, self.canary) if release)

    @property
    def leaving_memory(self) -> Memory:
        """Of the former releases that still finish requests."""
        return Memory.total(held.value.memory for held in self._leaving)

    @contextmanager
    def of(self, user: str | None) -> Iterator[Release | None]:
        """The release that answers `user`; it stays usable within the block, whatever is swapped in meanwhile."""
        held = self._chosen(user)
        while held is not None and not held.hold():
            held = self._chosen(user)  # given up since it was chosen; what replaces it was assigned before
        try:
            yield _value(held)
        finally:
            if held is not None:
                held.leave()

    def take_stable(self, release: Release) -> None:
        """Put `release` in the place of the stable one."""
        self._become(self._now._replace(stable=Held(release)))

    def take_canary(self, release: Release, percent: int) -> None:
        """Let `release` answer `percent` of the users."""
        self._become(self._now._replace(canary=Held(release), percent=percent))

    def set_percent(self, percent: int) -> None:
        """Let the canary that is here answer `percent` of the users."""
        self._become(self._now._replace(percent=percent))

    def promote_canary(self) -> None:
        """The canary becomes the stable release; it is warm already."""
        self._become(_Serving(stable=self._now.canary))

    def end_canary(self) -> None:
        """The stable release answers everybody."""
        self._become(_Serving(stable=self._now.stable))

    def sweep(self) -> None:
        """Close the former releases that nobody uses any more."""
        self._leaving = [held for held in self._leaving if not held.close_if_left()]

    def _become(self, now: _Serving) -> None:
        before, self._now = self._now, now
        for held in (before.stable, before.canary):
            if held is not None and held not in (now.stable, now.canary):
                held.give_up()
                self._leaving.append(held)
        self.sweep()

    def _chosen(self, user: str | None) -> Held[Release] | None:
        now = self._now
        return now.canary if now.canary and chosen(self._model, user, now.percent) else now.stable


def _value(held: Held[Release] | None) -> Release | None:
    return held.value if held is not None else None
