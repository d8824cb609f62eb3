"""While the instance serves: queued work is published, a spot notice acted on, and the end seen."""

from typing import Any

import pytest

from model_image.instance.agent import Agent
from model_image.instance.clock import Stopped
from model_image.instance.watch import PUBLISH_SECONDS, STEP_SECONDS, watch


def events(caplog: Any) -> list[str]:
    return [record.message for record in caplog.records if record.name == "instance"]


def test_the_group_that_ends_the_instance_ends_the_watch(agent: Agent, imds: Any, clock: Any) -> None:
    clock.at(22, imds.terminate)
    assert watch(agent) == 0
    assert clock.passed == 25, "seen within one step"


def test_queued_texts_are_published_as_the_mean_of_what_was_seen(
    agent: Agent, aws: Any, server: Any, clock: Any, imds: Any
) -> None:
    server.metrics.waiting_seconds.set(0.5)
    for seconds, texts in ((0, 0), (10, 7), (15, 14), (20, 0)):
        clock.at(seconds, lambda texts=texts: server.metrics.waiting_texts.set(texts))
    clock.at(PUBLISH_SECONDS + STEP_SECONDS, imds.terminate)
    watch(agent)
    assert aws.values("QueuedTexts", Slot="stable") == [pytest.approx(3.0)]  # 0 0 7 14 0 0 0
    assert aws.values("QueuedSeconds", Slot="stable") == [pytest.approx(0.5)]


def test_one_value_is_published_every_30_s(agent: Agent, clock: Any, monkeypatch: Any) -> None:
    sent: list[float] = []
    monkeypatch.setattr(agent.publisher, "queued", lambda *_: sent.append(clock.passed))
    clock.stop_after = 100
    with pytest.raises(Stopped):
        watch(agent)
    assert sent == [30.0, 60.0, 90.0]


def test_a_server_that_does_not_answer_publishes_nothing(agent: Agent, aws: Any, server: Any, clock: Any) -> None:
    server.http.close()
    clock.stop_after = 100
    with pytest.raises(Stopped):
        watch(agent)
    assert aws.dimensions("QueuedTexts") == []


def test_a_spot_notice_is_counted_once_and_the_instance_replaced(agent: Agent, aws: Any, imds: Any, clock: Any) -> None:
    clock.at(10, imds.announce)
    clock.stop_after = 60
    with pytest.raises(Stopped):
        watch(agent)
    assert aws.values("SpotInterruptions", Slot="stable") == [1.0]
    (other,) = aws.members()
    assert other != aws.instance, "the group keeps its size"


def test_a_replacement_that_fails_is_asked_for_again(
    agent: Agent, aws: Any, imds: Any, clock: Any, monkeypatch: Any, caplog: Any
) -> None:
    imds.announce()
    real, calls = agent.groups._call, []

    def refuse_twice(operation: str, **arguments: Any) -> Any:
        calls.append(operation)
        return real("no_such_operation" if len(calls) <= 2 else operation, **arguments)

    monkeypatch.setattr(agent.groups, "_call", refuse_twice)
    monkeypatch.setattr(agent.groups, "_client", Refusing(aws.asg))
    clock.at(30, imds.terminate)
    assert watch(agent) == 0
    assert calls == ["terminate_instance_in_auto_scaling_group"] * 3
    assert aws.values("SpotInterruptions", Slot="stable") == [1.0]
    assert aws.instance not in aws.members()
    assert events(caplog)[1:4] == [
        "trying again",
        "the group was asked to replace this instance",
        "all services answer again",
    ]


class Refusing:
    """A client of auto scaling that refuses an operation it does not know, as the service does."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        from botocore.exceptions import ClientError

        def refuse(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, operation)

        return getattr(self._client, operation, refuse)


def test_the_watch_goes_on_without_cloudwatch_and_says_so_once(
    without_cloudwatch: Agent, imds: Any, aws: Any, clock: Any, caplog: Any
) -> None:
    clock.at(100, imds.announce)
    clock.at(200, imds.terminate)
    assert watch(without_cloudwatch) == 0
    assert aws.instance not in aws.members()
    assert events(caplog).count("metrics are not delivered") == 1


def test_the_watch_goes_on_without_metadata_and_sees_the_end_later(
    agent: Agent, imds: Any, clock: Any, caplog: Any
) -> None:
    imds.broken = True

    def repair() -> None:
        imds.broken = False
        imds.terminate()

    clock.at(50, repair)
    assert watch(agent) == 0
    assert clock.passed == 50
    assert events(caplog) == ["trying again", "the group ends this instance"]


def test_metrics_that_are_delivered_again_are_told(agent: Agent, clock: Any, monkeypatch: Any, caplog: Any) -> None:
    real, broken = agent.publisher._make_client, [True]

    def sometimes() -> Any:
        if broken:
            raise OSError("no way")
        return real()

    monkeypatch.setattr(agent.publisher, "_make_client", sometimes)
    clock.at(40, broken.clear)
    clock.stop_after = 100
    with pytest.raises(Stopped):
        watch(agent)
    assert events(caplog) == ["metrics are not delivered", "metrics are delivered again"]
