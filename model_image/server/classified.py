"""Which labels the releases in service gave to texts. Alerts on a surge compare the label's share over time."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter

MOST_LABELS = 100
"""Of one task that are told apart, the first in the order of the release; all others together are `OTHER`. Training
allows ten times as many, and each is a series per server."""

OTHER = "other"


class Classified:
    """Counts texts by task and most probable label. All series are there from a release's beginning, at 0: increase()
    does not see the first value of a series that comes later."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._texts = Counter(
            "serving_classified",
            "Texts answered by their most probable label",
            ("task", "label", "channel", "release"),
            registry=registry,
        )
        self._serving: dict[str, tuple[str, dict[str, dict[str, Counter]]]] = {}

    def serve(self, channel: str, release: str | None, tasks: Mapping[str, Sequence[str]]) -> None:
        """From now on `channel` answers from `release` (None: not at all), of whose `tasks` these are the labels.

        What was counted of the channel before is no longer told. Not to be called from two threads at once.
        """
        self._serving.pop(channel, None)
        self._texts.remove_by_labels({"channel": channel})
        if release is not None:
            counters = {task: self._counters(task, labels, channel, release) for task, labels in tasks.items()}
            self._serving[channel] = (release, counters)

    def count(self, channel: str, release: str, task: str, labels: Iterable[str]) -> None:
        """Record the most probable label of each text of an answer. One of a release that has left meanwhile is not
        counted: nothing would ever take its series away."""
        serving, counters = self._serving.get(channel, ("", {}))
        if serving == release:
            for label in labels:
                counters[task][label].inc()

    def _counters(self, task: str, labels: Sequence[str], channel: str, release: str) -> dict[str, Counter]:
        """By label; those beyond the bound share one."""
        told = [*labels[:MOST_LABELS], *(OTHER for _ in labels[MOST_LABELS:])]
        return {
            label: self._texts.labels(task, name, channel, release) for label, name in zip(labels, told, strict=True)
        }
