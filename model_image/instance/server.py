"""What the agent asks the server of its instance: whether it is ready, and its gauges."""

import math
import re
from dataclasses import dataclass

from model_image.instance.http import NoAnswerError, ask

QUEUED, WAIT = "serving_waiting_texts", "serving_waiting_seconds"
# Phase of the start → the gauge with the unix time of its end.
ENDS = {"weights": "serving_start_downloaded_timestamp_seconds", "warm-up": "serving_start_ready_timestamp_seconds"}

# A sample without labels in the text format of Prometheus: name, value, perhaps a time stamp.
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*) +(\S+)(?: +\d+)?$", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """The server at `address`, such as http://127.0.0.1:8080."""

    address: str

    def ready(self) -> bool:
        """Whether it asks for traffic."""
        try:
            return ask(f"{self.address}/readyz")[0] == 200
        except NoAnswerError:
            return False

    def gauges(self) -> dict[str, float]:
        """Its metrics that have no labels; none while it does not answer."""
        try:
            status, text = ask(f"{self.address}/metrics")
        except NoAnswerError:
            return {}
        return samples(text) if status == 200 else {}


def samples(text: str) -> dict[str, float]:
    """Name → value of the samples without labels in the text format of Prometheus; what is not finite is left out."""
    found = {}
    for name, value in _SAMPLE.findall(text):
        try:
            number = float(value)
        except ValueError:
            continue
        if math.isfinite(number):
            found[name] = number
    return found


def start_ends(gauges: dict[str, float]) -> dict[str, float]:
    """Phase → unix time of its end, of the phases that the server knows; a gauge at 0 was never set."""
    return {phase: gauges[name] for phase, name in ENDS.items() if gauges.get(name, 0.0) > 0}
