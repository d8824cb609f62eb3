"""A release that computes much slower than the one in service is not taken: both are timed in the same minute.

A server that starts has nothing in service, and takes what the channel names whatever its speed: a slow answer is
better than none, and a time that was taken on another machine or another day says nothing. So a refusal has to end in
a rollback before the fleet is split.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial

from model_image.server.backend import LoadedModel
from model_image.server.releases.release import Release

ROUNDS = 5
"""Each round times both releases one after the other, so that both meet the same load; medians are compared."""

FLOOR_SECONDS = 0.001
"""What takes less counts as this: below it, the ratio of two times is noise."""

_QUERY = "waterproof hiking boots for wide feet"
_ITEMS = (
    "boots",
    "Mid-height waterproof hiking boots, leather, wide fit. Shoes > Outdoor",
    "Cast iron skillet, 26 cm. Kitchen",
    "Rain jacket with taped seams, packs into its own pocket, for men and women. Clothing > Outdoor > Jackets",
)

Probe = Callable[[], object]


class SlowReleaseError(Exception):
    """The release is slower than the gate allows. The message has both times."""


class Gate:
    """`most` is how many times slower a part may be than the same part of the release in service."""

    def __init__(self, most: float, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._most = most
        self._clock = clock

    def check(self, new: Release, serving: Release) -> None:
        """Raise `SlowReleaseError` for the first part that is too slow. A part that only one has is not compared."""
        theirs = probes(serving)
        for name, probe in probes(new).items():
            if name not in theirs:
                continue
            rounds = [(self._seconds(probe), self._seconds(theirs[name])) for _ in range(ROUNDS)]
            ours, before = (statistics.median(times) for times in zip(*rounds, strict=True))
            allowed = self._most * max(before, FLOOR_SECONDS)
            if ours > allowed:
                raise SlowReleaseError(
                    f"{name}: {ours * 1000:.1f} ms for a fixed probe, the release in service takes "
                    f"{before * 1000:.1f} ms; at most {self._most:g} times that are allowed. Roll the channel back: "
                    "a server that starts has nothing to compare with and takes it"
                )

    def _seconds(self, probe: Probe) -> float:
        start = self._clock()
        probe()
        return self._clock() - start


def probes(release: Release) -> Mapping[str, Probe]:
    """What is timed, by the part's name in the release folder.

    The index is not: its time follows the number of products, and a shop that grows is no fault of the release.
    """
    found: dict[str, Probe] = {"encoder": _singles(release.encoder)}
    if (cross_encoder := release.cross_encoder) is not None:
        query, *items = cross_encoder.tokenize([_QUERY, *_ITEMS])
        found["cross_encoder"] = partial(cross_encoder.run, [cross_encoder.pair(query, item) for item in items])
    for name, task in release.tasks.items():
        found[f"tasks/{name}"] = _singles(task)
    return found


def _singles(model: LoadedModel) -> Probe:
    return partial(model.run, [model.single(tokens) for tokens in model.tokenize([_QUERY, *_ITEMS])])
