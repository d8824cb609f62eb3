"""When somebody is told of a slot: of its hosts, its group, its starts and its queue. Pure functions.

Missing values are dealt with as in `alarm_rules`.
"""

from collections.abc import Iterator

from infra.aws import metrics
from infra.aws.rule import BROKEN, LOW, MINUTE, UNKNOWN, Rule
from infra.aws.runbook import runbook
from infra.aws.units import START_SECONDS
from infra.aws.watched import Watched

# Seconds that a server predicts a request to wait before it answers 429 (SERVING_MAX_WAIT_SECONDS), and what of them is
# high on average. In seconds and not in texts: how many texts are too many depends on the machine and the model.
QUEUE_FULL, QUEUE_HIGH = 0.5, 0.25
# One notice is everyday life, which the group copes with; these many in 15 minutes are a shortage.
SPOT_BURST = 2
SLOW_START = START_SECONDS * 3 // 4
# Of 5 minutes each: a start that takes until the group gives it up reaches into so many. No more are waited for, since
# a refresh may be given up with it.
STUCK_PERIODS = START_SECONDS // (5 * MINUTE)
# More instances than a group can have.
MANY = 10_000


def slot_rules(slot: str, watched: Watched) -> list[Rule]:
    """All of one slot."""
    return [*_hosts(slot, watched), *_capacity(slot, watched), *_starts(slot, watched), _queue(slot, watched)]


def _hosts(slot: str, watched: Watched) -> Iterator[Rule]:
    """Sick ones; in a slot that must answer also none: of no host a target group reports no number."""
    yield Rule(
        name=f"{slot}-unhealthy-host",
        runbook=runbook("unhealthy-host", slot=slot),
        metrics={"hosts": watched.targets(slot, "UnHealthyHostCount", "Maximum")},
        threshold=1,
        periods=5,
    )
    if slot in watched.answering:
        yield Rule(
            name=f"{slot}-no-healthy-host",
            runbook=runbook("no-healthy-host", slot=slot),
            metrics={"hosts": watched.targets(slot, "HealthyHostCount", "Maximum")},
            comparison=LOW,
            threshold=1,
            periods=5,
            missing=BROKEN,
        )


def _capacity(slot: str, watched: Watched) -> Iterator[Rule]:
    yield Rule(
        name=f"{slot}-no-capacity",
        runbook=runbook("no-capacity", slot=slot),
        metrics={
            "desired": watched.group(slot, "GroupDesiredCapacity"),
            "serving": watched.group(slot, "GroupInServiceInstances"),
        },
        expression="desired - serving",
        threshold=1,
        periods=15,
        missing=UNKNOWN,
    )
    yield Rule(
        name=f"{slot}-spot-interruptions",
        runbook=runbook("spot-interruptions", slot=slot, count=SPOT_BURST),
        metrics={"notices": watched.instances(slot, metrics.SPOT_INTERRUPTIONS, "Sum")},
        threshold=SPOT_BURST,
        period=15 * MINUTE,
    )


def _starts(slot: str, watched: Watched) -> Iterator[Rule]:
    """Slow ones, and those that never end: a refresh whose instances do not come up leaves the old ones, and all else
    looks well.

    Slow: the sum of the longest phases, boot to in service, is what the slowest start of 5 minutes took at most. Stuck:
    in each 5 minutes some instance was starting and none came into service; a refresh that goes on has such as do.
    """
    longest = {phase: watched.instances(slot, metrics.START_SECONDS, "Maximum", phase) for phase in metrics.PHASES}
    phases = {phase.replace("-", "_"): metric for phase, metric in longest.items()}
    yield Rule(
        name=f"{slot}-slow-start",
        runbook=runbook("slow-start", slot=slot, seconds=SLOW_START, limit=START_SECONDS),
        metrics=phases,
        expression=f"SUM(FILL([{', '.join(phases)}], 0))",
        threshold=SLOW_START,
        period=5 * MINUTE,
    )
    last = metrics.PHASES[-1]
    yield Rule(
        name=f"{slot}-stuck-start",
        runbook=runbook("stuck-start", slot=slot, minutes=5 * STUCK_PERIODS),
        metrics={
            "pending": watched.group(slot, "GroupPendingInstances", "Maximum"),
            "started": watched.instances(slot, metrics.START_SECONDS, "SampleCount", last),
        },
        expression=f"SUM(FILL([pending, -{MANY} * started], 0))",
        threshold=1,
        period=5 * MINUTE,
        periods=STUCK_PERIODS,
    )


def _queue(slot: str, watched: Watched) -> Rule:
    return Rule(
        name=f"{slot}-queue",
        runbook=runbook("queue", slot=slot, seconds=QUEUE_HIGH, full=QUEUE_FULL),
        metrics={"seconds": watched.instances(slot, metrics.QUEUED_SECONDS, "Average")},
        threshold=QUEUE_HIGH,
        periods=5,
    )
