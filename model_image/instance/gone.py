"""The verb `gone`: the server has ended, the group need not wait for this instance any longer."""

from model_image.instance.agent import Agent
from model_image.instance.logs import log

STEP_SECONDS = 2.0
# Three times the load balancer's draining time, which a group lets pass before it waits for the hook.
SECONDS = 180.0
# Also of a warm pool's instance. The metadata says already that the group ends this instance, but nothing can be
# completed yet: to take that for an answer would leave the hook to its own limit.
DRAINING = ("Terminating", "Warmed:Terminating")


def gone(agent: Agent) -> int:
    """0 when the termination hook is completed or nothing waits for it, 1 when the group could not be told."""
    done = agent.wait_for(lambda: _complete(agent), seconds=SECONDS, step=STEP_SECONDS)
    if done is None:
        log.error("the group could not be told, the termination hook ends by its own limit")
        return 1
    log.info(done, extra={"fields": {"hook": agent.config.termination_hook}})
    return 0


def _complete(agent: Agent) -> str | None:
    """How it ended; None while the load balancer still drains."""
    instance = agent.metadata.identity().instance
    member = agent.groups.membership(instance)
    if member is None:
        return "no group waits for this instance"
    if member.state in DRAINING:
        return None
    completed = agent.groups.complete(member.group, agent.config.termination_hook, instance)
    return "termination hook completed" if completed else "nothing waits for the termination hook"
