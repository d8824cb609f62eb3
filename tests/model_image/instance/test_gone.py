"""After the server's end the group need not wait any longer."""

from typing import Any

from infra.aws.load_balancer import DRAIN_SECONDS
from model_image.instance.agent import Agent
from model_image.instance.gone import SECONDS, gone
from model_image.instance.group import Membership


def events(caplog: Any) -> list[str]:
    return [record.message for record in caplog.records if record.name == "instance"]


def state(aws: Any) -> str | None:
    found = aws.asg.describe_auto_scaling_instances(InstanceIds=[aws.instance])["AutoScalingInstances"]
    return found[0]["LifecycleState"] if found else None


def test_the_termination_hook_is_completed(agent: Agent, aws: Any, caplog: Any) -> None:
    aws.terminate()
    assert state(aws) == "Terminating:Wait"
    assert gone(agent) == 0
    assert state(aws) is None
    assert events(caplog) == ["termination hook completed"]


def test_a_group_that_drains_first_is_told_when_it_waits_for_the_hook(
    agent: Agent, aws: Any, imds: Any, clock: Any, caplog: Any
) -> None:
    aws.drain()
    imds.terminate()
    seen: list[str | None] = []
    clock.at(DRAIN_SECONDS - 2, lambda: seen.append(state(aws)))
    clock.at(DRAIN_SECONDS, aws.drained)
    assert gone(agent) == 0
    assert seen == ["Terminating"], "not taken for the end before it waited"
    assert clock.passed == DRAIN_SECONDS
    assert state(aws) is None
    assert events(caplog) == ["termination hook completed"]


def test_an_instance_that_leaves_a_warm_pool_is_waited_for_too(agent: Agent, clock: Any, monkeypatch: Any) -> None:
    states = ["Warmed:Terminating", "Warmed:Terminating", "Warmed:Terminating:Wait"]
    monkeypatch.setattr(agent.groups, "membership", lambda _: Membership("fleet", states.pop(0)))
    monkeypatch.setattr(agent.groups, "complete", lambda *_: True)
    assert gone(agent) == 0
    assert states == []


def test_it_has_the_patience_for_the_load_balancers_draining_and_room_beyond() -> None:
    assert SECONDS >= 2 * DRAIN_SECONDS


def test_nothing_that_waits_is_no_error(agent: Agent, aws: Any, imds: Any, caplog: Any) -> None:
    assert gone(agent) == 0
    imds.be("i-0123456789abcdef0")
    assert gone(agent) == 0
    assert events(caplog) == ["nothing waits for the termination hook", "no group waits for this instance"]


def test_a_group_that_cannot_be_told_is_given_up_in_bounded_time(
    agent: Agent, aws: Any, imds: Any, clock: Any, caplog: Any
) -> None:
    aws.terminate()
    imds.broken = True
    assert gone(agent) == 1
    assert clock.passed == SECONDS
    assert state(aws) == "Terminating:Wait"
    assert events(caplog)[-1] == "the group could not be told, the termination hook ends by its own limit"
