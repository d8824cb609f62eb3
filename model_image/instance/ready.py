"""The verb `ready`: from the first answer of the server to the instance in service, and how long each phase took."""

from model_image.instance.agent import Agent
from model_image.instance.group import IN_SERVICE, WARMED, GroupError
from model_image.instance.imds import Identity
from model_image.instance.logs import log
from model_image.instance.phases import durations, read_ends
from model_image.instance.server import start_ends

STEP_SECONDS = 2.0
METADATA_SECONDS = 60.0
# As long as the server's unit may take to start: image, weights and warm-up of a big model.
SERVER_SECONDS = 1800.0
# From the completed hook to InService a group takes seconds.
GROUP_SECONDS = 300.0


def ready(agent: Agent) -> int:
    """0 when the instance is in service (or parked in a warm pool), 1 when something did not happen in time."""
    identity = agent.wait_for(agent.metadata.identity, seconds=METADATA_SECONDS, step=STEP_SECONDS)
    if identity is None:
        log.error("instance metadata does not answer", extra={"fields": {"address": agent.config.metadata}})
        return 1
    if not agent.wait_for(agent.server.ready, seconds=SERVER_SECONDS, step=STEP_SECONDS):
        fields = {"server": agent.config.server, "seconds": SERVER_SECONDS}
        log.error("server not ready in time, the launch hook ends by its own limit", extra={"fields": fields})
        return 1
    log.info("server ready")
    state = _launched(agent, identity)
    if state is None:
        log.error("not in service in time", extra={"fields": {"instance": identity.instance, "seconds": GROUP_SECONDS}})
        return 1
    _publish(agent, identity, in_service=state == IN_SERVICE)
    return 0


def _launched(agent: Agent, identity: Identity) -> str | None:
    """Complete the launch hook and return the state that ends the launch, None when it is not reached in time.

    The hook is tried at least once: it becomes active a moment after the instance appears in its group. Where the
    instance is in service without it (a group that has no such hook), a refusal is no trouble.
    """
    hook, completed = agent.config.launch_hook, False

    def attempt() -> str | None:
        nonlocal completed
        member = agent.groups.membership(identity.instance)
        if member is None:
            return None
        there = member.state in (IN_SERVICE, *WARMED)
        try:
            if not completed and (completed := agent.groups.complete(member.group, hook, identity.instance)):
                log.info("launch hook completed", extra={"fields": {"group": member.group, "hook": hook}})
        except GroupError:
            if not there:
                raise
        return member.state if there else None

    return agent.wait_for(attempt, seconds=GROUP_SECONDS, step=STEP_SECONDS)


def _publish(agent: Agent, identity: Identity, *, in_service: bool) -> None:
    """Publish the phases of this start. After a reboot the host writes none, and there is no start to be timed."""
    now = agent.clock.now()
    try:
        ends = read_ends(agent.config.phases.read_text(errors="replace"))
    except OSError as error:
        log.info("no phases of the host: not the first start", extra={"fields": {"cause": str(error)}})
        return
    ends |= start_ends(agent.server.gauges()) | ({"in-service": now} if in_service else {})
    seconds = durations(ends, launched=identity.launched, now=now)
    agent.publisher.started(seconds)
    log.info("started", extra={"fields": {phase: round(value, 1) for phase, value in seconds.items()}})
