"""The verb `gone`: the server has ended, the group need not wait for this instance any longer."""

from model_image.instance.agent import Agent
from model_image.instance.logs import log

STEP_SECONDS = 2.0
SECONDS = 30.0  # a machine that shuts down has little time, and the hook has a limit of its own


def gone(agent: Agent) -> int:
    """0 when the termination hook is completed or nothing waits for it, 1 when the group could not be told."""
    done = agent.wait_for(lambda: _complete(agent), seconds=SECONDS, step=STEP_SECONDS)
    if done is None:
        log.error("the group could not be told, the termination hook ends by its own limit")
        return 1
    log.info(done, extra={"fields": {"hook": agent.config.termination_hook}})
    return 0


def _complete(agent: Agent) -> str:
    instance = agent.metadata.identity().instance
    member = agent.groups.membership(instance)
    if member is None:
        return "no group waits for this instance"
    completed = agent.groups.complete(member.group, agent.config.termination_hook, instance)
    return "termination hook completed" if completed else "nothing waits for the termination hook"
