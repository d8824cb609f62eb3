"""Settings of the labels that are watched for a surge, such as negative reviews after a bad batch."""

import re
from dataclasses import dataclass

from infra.config.reader import Reader

SEVERITIES = ("ticket", "page")
# What the server takes as the name of a task.
TASK = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
# A label stands in a query, and in texts of which Prometheus and Grafana read braces and dollars as templates.
_LABEL = re.compile(r'[^"\\{}$]{1,200}')


@dataclass(frozen=True, kw_only=True)
class SurgeConfig:
    """A label of a task that classifies: its share of the last `window_minutes` against the `baseline_hours` before.

    Somebody is told from `min_texts` texts on, where the share is at least `rise_percent` % and `rise_points`
    percentage points above the baseline, and chance does not explain it.
    """

    task: str
    label: str
    window_minutes: int
    baseline_hours: int
    min_texts: int
    rise_percent: int
    rise_points: int
    severity: str


def read_surges(reader: Reader, key: str) -> tuple[SurgeConfig, ...]:
    """The list of sections `key`; none: nothing is watched."""
    surges = tuple(_surge(entry) for entry in reader.sections(key))
    named = [(surge.task, surge.label) for surge in surges]
    for at, each in enumerate(named):
        if each in named[:at]:
            reader.refuse(f"{key}[{at}]", "/".join(map(str, each)), "each label is watched once; keep one of them")
    return surges


def _surge(reader: Reader) -> SurgeConfig:
    return SurgeConfig(
        task=reader.text("task", example="sentiment", check=_check_task),
        label=reader.text("label", example="negative", check=_check_label),
        window_minutes=reader.integer("windowMinutes", low=5, high=60, default=15),
        # From six of the longest windows on, so that it is steadier than what is compared with it.
        baseline_hours=reader.integer("baselineHours", low=6, high=168, default=24),
        # One angry customer writes a dozen messages: below this, texts are too seldom independent of each other.
        min_texts=reader.integer("minTexts", low=10, high=1_000_000, default=50),
        rise_percent=reader.integer("risePercent", low=10, high=1000, default=50),
        rise_points=reader.integer("risePoints", low=1, high=90, default=3),
        severity=reader.choice("severity", SEVERITIES, default="ticket"),
    )


def _check_task(text: str) -> None:
    if len(text) > 100 or not re.search(TASK, text):
        raise ValueError("the name of a task in the release is needed, such as sentiment: letters, digits, _ . -")


def _check_label(text: str) -> None:
    if not (_LABEL.fullmatch(text) and text.isprintable()):
        rule = 'up to 200 printable characters without " \\ { } $ are needed; name the label so in the training data'
        raise ValueError(rule)
