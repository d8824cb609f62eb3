"""Whether the share of a label among the texts that servers classify has surged, as PromQL. Pure.

A window's share is compared with that of the hours before it, so that the surge is not in its own baseline. The two
are proportions of independent samples: how sure their difference is, is R. G. Newcombe, "Interval estimation for the
difference between independent proportions", Statistics in Medicine 17 (1998), method 10, out of an interval of each by
E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). They hold for few
texts and for shares near 0, where the plain normal approximation is sure of far too much.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.config.site_watch import SiteWatchConfig
from infra.config.surges import SurgeConfig

# Standard errors. Looked at each minute, chance alone then tells at most once in two months of a label (simulated: 50
# to 500 independent texts a window, a share of 5 to 40 %); a doubled share of 10 % of 500 is told after 12 minutes.
SURE = 4.5
COUNTED = "serving_classified_total"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The texts of `range`, `offset` ago, as PromQL that chooses series by `labels`; `name` ends what is recorded."""

    labels: str
    label: str
    range: str
    offset: str = ""

    @property
    def _name(self) -> str:
        return f"{self.range}_offset{self.offset}" if self.offset else self.range

    def recorded(self, what: str) -> str:
        """The series under which Prometheus keeps `texts`, `ratio`, or the bound (`lower`, `upper`) of the ratio."""
        return f'{self._record(what)}{{{self.labels},label="{self.label}"}}'

    def records(self, bound: str) -> Iterator[tuple[str, str]]:
        """Name and expression of each, in the order in which they need each other."""
        known, every = self._increase(f',label="{self.label}"'), self._increase("")
        # A release without the label says nothing of its share: nobody could give it.
        yield self._record("texts"), f"sum({every} and {known})"
        texts, ratio = self.recorded("texts"), self.recorded("ratio")
        yield self._record("ratio"), f"sum({known}) / sum({texts} > 0)"
        yield self._record(bound), wilson(ratio, texts, {"lower": "-", "upper": "+"}[bound])

    def _record(self, what: str) -> str:
        return f"site:serving_classified:{what}{self._name}"

    def _increase(self, more: str) -> str:
        offset = f" offset {self.offset}" if self.offset else ""
        return f"sum by (release) (increase({COUNTED}{{{self.labels}{more}}}[{self.range}]{offset}))"


@dataclass(frozen=True, kw_only=True)
class Surge:
    """One watched label in `namespace`, with its window and the baseline before it."""

    config: SurgeConfig
    namespace: str

    @property
    def window(self) -> Sample:
        return self._sample(f"{self.config.window_minutes}m")

    @property
    def baseline(self) -> Sample:
        return self._sample(f"{self.config.baseline_hours}h", offset=f"{self.config.window_minutes}m")

    def records(self) -> Iterator[dict[str, Any]]:
        """The recording rules of both samples."""
        for sample, bound in ((self.window, "lower"), (self.baseline, "upper")):
            for name, expression in sample.records(bound):
                labels = {"namespace": self.namespace, "task": self.config.task, "label": self.config.label}
                yield {"record": name, "expr": expression, "labels": labels}

    def rises(self) -> str:
        """A value while the rise is of many texts, large and sure. Without a baseline there is none."""
        now, before = self.window.recorded("ratio"), self.baseline.recorded("ratio")
        lower, upper = self.window.recorded("lower"), self.baseline.recorded("upper")
        return " and ".join(
            (
                f"{self.window.recorded('texts')} >= {self.config.min_texts}",
                f"{now} >= {1 + self.config.rise_percent / 100:g} * {before}",
                f"{now} - {before} >= {self.config.rise_points / 100:g}",
                f"{newcombe(now, lower, before, upper)} > 0",
            )
        )

    def unknown(self) -> str:
        """A value while there are servers, and no release in service has the label."""
        known = f'{COUNTED}{{{self._labels},label="{self.config.label}"}}'
        return f'absent({known}) and on () sum(serving_ready{{namespace="{self.namespace}"}}) > 0'

    @property
    def _labels(self) -> str:
        return f'namespace="{self.namespace}",task="{self.config.task}"'

    def _sample(self, range_: str, offset: str = "") -> Sample:
        return Sample(labels=self._labels, label=self.config.label, range=range_, offset=offset)


def surges(config: SiteWatchConfig, namespace: str) -> tuple[Surge, ...]:
    """Those that are watched, for the servers of `namespace`."""
    return tuple(Surge(config=each, namespace=namespace) for each in config.surges)


def wilson(ratio: str, texts: str, side: str, sure: float = SURE) -> str:
    """The lower (`-`) or upper (`+`) bound of a proportion that was `ratio` of so many texts."""
    square = sure * sure
    spread = f"{sure:g} * sqrt({ratio} * (1 - {ratio}) / {texts} + {square / 4:g} / {texts} ^ 2)"
    return f"({ratio} + {square / 2:g} / {texts} {side} {spread}) / (1 + {square:g} / {texts})"


def newcombe(ratio: str, lower: str, other: str, upper: str) -> str:
    """The lower bound of `ratio - other`, by their bounds that are nearest to each other."""
    return f"{ratio} - {other} - sqrt(({ratio} - {lower}) ^ 2 + ({upper} - {other}) ^ 2)"
