"""Settings of what watches over the on-prem site. The promises have the same keys as in the aws stack."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.config.kubernetes import parse_pair
from infra.config.reader import Reader
from infra.config.surges import SurgeConfig, read_surges

# How rules reach Prometheus: a labelled ConfigMap, or the Prometheus Operator's own kind of object.
RULE_KINDS = ("configMap", "prometheusRule")
# The bounds of the servers' histogram of seconds: between two of them nobody can count who kept the promise.
LATENCY_BOUNDS_MS = (10, 20, 50, 100, 200, 300, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True, kw_only=True)
class SiteWatchConfig:
    """The promises of 30 days: at most `error_percent` are errors, and 99 of 100 answers come in `latency_p99_ms`.

    `labels` are those by which a Prometheus of the Operator chooses its objects; `surges` the labels of texts that are
    watched.
    """

    rules: str
    labels: Mapping[str, str]
    latency_p99_ms: int
    error_percent: int
    surges: tuple[SurgeConfig, ...]


def read_site_watch(reader: Reader) -> SiteWatchConfig:
    """The section `watch`."""
    rules = reader.choice("rules", RULE_KINDS, default="configMap")
    latency = reader.choice("latencyP99Ms", tuple(str(bound) for bound in LATENCY_BOUNDS_MS), default="300")
    return SiteWatchConfig(
        rules=rules,
        labels=_labels(reader, rules),
        latency_p99_ms=int(latency) if latency else 0,
        # From 7 % on, the fastest burn that is told (14.4 times the promise) would be more than everything.
        error_percent=reader.integer("errorPercent", low=1, high=6, default=1),
        surges=read_surges(reader, "surges"),
    )


def _labels(reader: Reader, rules: str) -> dict[str, str]:
    texts = reader.texts("labels", default=(), example="[release=kube-prometheus-stack]", check=parse_pair) or ()
    pairs = [parse_pair(text) for text in texts]
    if len(dict(pairs)) < len(pairs):
        reader.refuse("labels", list(texts), "an object has one value per key; keep one of them")
    if texts and rules == "configMap":
        rule = "a ConfigMap is found by the label prometheus-rules; remove them, or set watch.rules to prometheusRule"
        reader.refuse("labels", list(texts), rule)
    return dict(pairs)
