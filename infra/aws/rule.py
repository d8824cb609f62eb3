"""One alarm as plain values: which metrics, which threshold, for how long, and what its reader is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.aws.watched import Metric

MINUTE = 60
# A value at its threshold is already an alarm, but for those that alarm on too little.
HIGH, LOW = "GreaterThanOrEqualToThreshold", "LessThanThreshold"
# What a missing value says: that nothing happened; that what must always report has ended; nothing at all.
QUIET, BROKEN, UNKNOWN = "notBreaching", "breaching", "missing"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An alarm when `datapoints` (None: all) of the last `periods` values are wrong; there is one each `period` s.

    `metrics` are by their id in `expression` (metric math); without an expression there is exactly one.
    """

    name: str
    runbook: str
    metrics: Mapping[str, Metric]
    expression: str = ""
    comparison: str = HIGH
    threshold: float
    period: int = MINUTE
    periods: int = 1
    datapoints: int | None = None
    missing: str = QUIET
