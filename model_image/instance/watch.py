"""The verb `watch`: queued work to CloudWatch, a spot notice to the group, and the end when the group wants it."""

from statistics import fmean

from model_image.instance.agent import Agent
from model_image.instance.group import GroupError
from model_image.instance.imds import MetadataError
from model_image.instance.logs import log
from model_image.instance.server import QUEUED, WAIT

STEP_SECONDS = 5.0  # AWS recommends to look for spot notices this often (EC2 user guide, "Spot interruption notices")
PUBLISH_SECONDS = 30.0


def watch(agent: Agent) -> int:
    """0 as soon as the group ends this instance. Nothing else ends it but `clock.Stopped`."""
    watcher = _Watch(agent)
    while not watcher.step():
        agent.clock.wait(STEP_SECONDS)
    log.info("the group ends this instance")
    return 0


class _Watch:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._queued: list[tuple[float, float]] = []
        self._publish_at = agent.clock.elapsed() + PUBLISH_SECONDS
        self._notice: str | None = None
        self._replaced = False
        self._trouble = ""

    def step(self) -> bool:
        """Look once at everything. True when the group ends this instance."""
        try:
            if self._agent.metadata.ends():
                return True
            self._look_for_a_notice()
            self._told("")
        except (MetadataError, GroupError) as error:
            self._told(str(error))
        self._measure()
        return False

    def _look_for_a_notice(self) -> None:
        if self._notice is None and (notice := self._agent.metadata.interruption()):
            self._notice = notice
            log.warning("spot capacity is taken back", extra={"fields": {"action": notice}})
            self._agent.publisher.interrupted()
        if self._notice and not self._replaced:
            self._agent.groups.replace(self._agent.metadata.identity().instance)
            self._replaced = True
            log.info("the group was asked to replace this instance")

    def _measure(self) -> None:
        """One value for each publication: the mean of what was seen since the last, so that no peak is missed."""
        gauges = self._agent.server.gauges()
        if QUEUED in gauges and WAIT in gauges:
            self._queued.append((gauges[QUEUED], gauges[WAIT]))
        now = self._agent.clock.elapsed()
        if now < self._publish_at:
            return
        if self._queued:
            texts, seconds = map(fmean, zip(*self._queued, strict=True))
            self._agent.publisher.queued(texts, seconds)
        self._queued, self._publish_at = [], now + PUBLISH_SECONDS

    def _told(self, cause: str) -> None:
        """Log a trouble when it begins or changes, and its end."""
        if cause != self._trouble:
            if cause:
                log.warning("trying again", extra={"fields": {"cause": cause}})
            else:
                log.info("all services answer again")
        self._trouble = cause
