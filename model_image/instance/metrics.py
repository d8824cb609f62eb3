"""What the agent tells CloudWatch. A metric that cannot be delivered is logged and given up: it never stops serving.

Names and dimensions are those of infra.aws.metrics, on which policies, alarms and the dashboard rest.
"""

from collections.abc import Callable, Mapping
from typing import Any

from model_image.instance.logs import log

QUEUED_TEXTS, QUEUED_SECONDS = "QueuedTexts", "QueuedSeconds"
START_SECONDS, SPOT_INTERRUPTIONS = "StartSeconds", "SpotInterruptions"
SLOT, PHASE = "Slot", "Phase"


class Publisher:
    """One namespace, one slot; `make_client` is called at the first use. No method raises."""

    def __init__(self, make_client: Callable[[], Any], *, namespace: str, slot: str) -> None:
        self._make_client = make_client
        self._client: Any = None
        self._namespace, self._slot = namespace, slot
        self._failed = False

    def queued(self, texts: float, seconds: float) -> bool:
        """Texts that wait in this instance's server, and how long one more would. True when delivered, as always."""
        return self._put([self._datum(QUEUED_TEXTS, texts, "Count"), self._datum(QUEUED_SECONDS, seconds, "Seconds")])

    def interrupted(self) -> bool:
        """A spot instance got its notice."""
        return self._put([self._datum(SPOT_INTERRUPTIONS, 1.0, "Count")])

    def started(self, seconds: Mapping[str, float]) -> bool:
        """How long each phase of the start took."""
        return not seconds or self._put(
            [self._datum(START_SECONDS, value, "Seconds", phase) for phase, value in seconds.items()]
        )

    def _datum(self, name: str, value: float, unit: str, phase: str | None = None) -> dict[str, Any]:
        dimensions = {SLOT: self._slot} | ({PHASE: phase} if phase else {})
        named = [{"Name": key, "Value": text} for key, text in dimensions.items()]
        return {"MetricName": name, "Dimensions": named, "Value": value, "Unit": unit}

    def _put(self, data: list[dict[str, Any]]) -> bool:
        try:
            if self._client is None:
                self._client = self._make_client()
            self._client.put_metric_data(Namespace=self._namespace, MetricData=data)
        except Exception as error:  # whatever the SDK or its credentials provoke, the watch goes on
            if not self._failed:
                log.warning(
                    "metrics are not delivered", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}}
                )
            self._failed = True
            return False
        if self._failed:
            log.info("metrics are delivered again")
        self._failed = False
        return True
