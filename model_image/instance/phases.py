"""The phases of an instance's start: from the times of their ends to how long each took. Pure functions.

The times come from three clocks: AWS's (launch), the host's as it was when a unit wrote its line, and the host's after
it was set by NTP. So a time may be missing, or lie before the one of an earlier phase, or in the future.
"""

import math
from collections.abc import Mapping

# In the order of a start; infra.aws.metrics has the same.
PHASES = ("boot", "driver", "image", "weights", "warm-up", "in-service")


def read_ends(text: str) -> dict[str, float]:
    """Phase → unix seconds from lines "<phase> <unix seconds>"; of a phase that stands there twice the first counts.

    A line that says something else is passed over: the file may be read while a line is being written.
    """
    ends: dict[str, float] = {}
    for line in text.splitlines():
        phase, _, value = line.strip().partition(" ")
        try:
            seconds = float(value)
        except ValueError:
            continue
        if phase in PHASES and math.isfinite(seconds) and seconds > 0:
            ends.setdefault(phase, seconds)
    return ends


def durations(ends: Mapping[str, float], *, launched: float | None, now: float) -> dict[str, float]:
    """Seconds of each phase whose end is known, in the order of a start; all times in unix seconds.

    A phase lasts from the end of the one before it, the first from `launched`. The time of a phase whose end is unknown
    counts for the next. An end before an earlier one, or after `now`, is moved to that bound: no phase is negative, and
    the sum never exceeds the time since the launch. Without a launch (or with one in the future) the first known end
    begins the count, and its phase is left out.
    """
    known = [(phase, min(ends[phase], now)) for phase in PHASES if phase in ends]
    if launched is None or launched > now:
        if not known:
            return {}
        (_, launched), *known = known
    found, last = {}, launched
    for phase, end in known:
        end = max(end, last)
        found[phase] = end - last
        last = end
    return found
