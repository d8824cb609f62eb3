"""From the server's first answer to the instance in service."""

from typing import Any

import pytest

from model_image.instance import ready as module
from model_image.instance.agent import Agent
from model_image.instance.group import Membership
from model_image.instance.ready import ready

PHASES = "boot {boot}\nimage {image}\n"


@pytest.fixture
def started(agent: Agent, clock: Any, server: Any) -> Agent:
    """An instance whose host wrote its phases and whose server becomes ready 60 s after the launch."""
    agent.config.phases.write_text(PHASES.format(boot=clock.now() + 10, image=clock.now() + 30))
    clock.at(50, server.metrics.downloaded)
    clock.at(60, server.serve)
    return agent


def events(caplog: Any) -> list[str]:
    return [record.message for record in caplog.records if record.name == "instance"]


def test_a_ready_server_completes_the_launch_and_each_phase_is_published(
    started: Agent, aws: Any, clock: Any, caplog: Any
) -> None:
    assert ready(started) == 0
    assert clock.passed == 60
    assert events(caplog) == ["server ready", "launch hook completed", "started"]
    assert not started.groups.complete(aws.group, "ready", aws.instance), "completed already"
    published = {d["Phase"]: aws.values("StartSeconds", **d) for d in aws.dimensions("StartSeconds")}
    assert published == {
        "boot": [10.0],
        "image": [20.0],
        "weights": [20.0],
        "warm-up": [10.0],
        "in-service": [0.0],
    }
    assert {d["Slot"] for d in aws.dimensions("StartSeconds")} == {"stable"}


def test_nothing_is_completed_before_the_server_is_ready(started: Agent, aws: Any, clock: Any) -> None:
    clock.at(58, lambda: completions.append(started.groups.complete(aws.group, "ready", aws.instance)))
    completions: list[bool] = []
    ready(started)
    assert completions == [True], "nobody had completed the hook 2 s before the server was ready"


def test_a_server_that_never_gets_ready_leaves_the_hook_to_its_limit(agent: Agent, aws: Any, clock: Any) -> None:
    assert ready(agent) == 1
    assert clock.passed == module.SERVER_SECONDS
    assert agent.groups.complete(aws.group, "ready", aws.instance), "not completed before"
    assert aws.dimensions("StartSeconds") == []


def test_a_group_that_needs_time_is_waited_for(started: Agent, aws: Any, clock: Any, monkeypatch: Any) -> None:
    states = ["Pending", "Pending:Wait", "Pending:Wait", "Pending:Proceed", "InService"]
    hooks = [False, True]
    calls: list[str] = []

    def complete(group: str, hook: str, instance: str) -> bool:
        calls.append(f"{group} {hook}")
        return hooks.pop(0)

    monkeypatch.setattr(started.groups, "membership", lambda _: Membership("fleet", states.pop(0)))
    monkeypatch.setattr(started.groups, "complete", complete)
    assert ready(started) == 0
    assert calls == ["fleet ready"] * 2, "tried until it was active, then not again"
    assert aws.values("StartSeconds", Slot="stable", Phase="in-service") == [8.0]


def test_an_instance_that_the_group_never_takes_is_an_error_and_its_start_is_not_published(
    started: Agent, aws: Any, clock: Any, monkeypatch: Any, caplog: Any
) -> None:
    monkeypatch.setattr(started.groups, "membership", lambda _: None)
    assert ready(started) == 1
    assert clock.passed == 60 + module.GROUP_SECONDS
    assert aws.dimensions("StartSeconds") == []
    assert events(caplog)[-1] == "not in service in time"


def test_an_instance_for_a_warm_pool_is_parked_without_being_in_service(
    started: Agent, aws: Any, monkeypatch: Any
) -> None:
    states = ["Warmed:Pending:Wait", "Warmed:Stopped"]
    monkeypatch.setattr(started.groups, "membership", lambda _: Membership("fleet", states.pop(0)))
    monkeypatch.setattr(started.groups, "complete", lambda *_: True)
    assert ready(started) == 0
    assert {d["Phase"] for d in aws.dimensions("StartSeconds")} == {"boot", "image", "weights", "warm-up"}


def test_an_instance_in_service_whose_group_has_no_such_hook_is_ready(
    started: Agent, aws: Any, clock: Any, caplog: Any
) -> None:
    aws.asg.delete_lifecycle_hook(AutoScalingGroupName=aws.group, LifecycleHookName="ready")
    assert ready(started) == 0
    assert clock.passed == 60
    assert "launch hook completed" not in events(caplog)


def test_a_launch_ends_well_without_cloudwatch(started: Agent, without_cloudwatch: Agent, caplog: Any) -> None:
    assert ready(without_cloudwatch) == 0
    assert "metrics are not delivered" in events(caplog)


def test_metadata_that_comes_late_is_waited_for(started: Agent, imds: Any, clock: Any) -> None:
    imds.broken = True

    def repair() -> None:
        imds.broken = False

    clock.at(20, repair)
    assert ready(started) == 0


def test_without_metadata_the_agent_gives_up_in_bounded_time(
    started: Agent, imds: Any, clock: Any, caplog: Any
) -> None:
    imds.http.close()
    assert ready(started) == 1
    assert clock.passed == module.METADATA_SECONDS
    assert events(caplog) == ["trying again", "instance metadata does not answer"], "one line for one cause"


def test_after_a_reboot_no_start_is_published(started: Agent, aws: Any, caplog: Any) -> None:
    started.config.phases.unlink()
    assert ready(started) == 0
    assert aws.dimensions("StartSeconds") == []
    assert events(caplog)[-1] == "no phases of the host: not the first start"
