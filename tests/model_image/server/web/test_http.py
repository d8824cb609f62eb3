"""Requests at the same time: deadlines, keys as clients, and users who meet the canary."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from model_image.canary import chosen
from model_image.server import app
from model_image.server.backend import open_backend
from tests.model_image.server.blocked import Blocked
from tests.model_image.server.whole import together


@pytest.mark.parametrize("milliseconds", ["1", "50"])
def test_a_request_ends_at_the_deadline_it_names(serving, monkeypatch, milliseconds: str) -> None:
    blocked = Blocked(serving.releases.current.encoder, monkeypatch)
    headers = {"serving-timeout-ms": milliseconds}
    response = serving.http.post("/v1/search", json={"query": "red"}, headers=headers)
    blocked.open()
    assert (response.status_code, response.json()["error"]["type"]) == (504, "deadline")
    assert serving.http.post("/v1/search", json={"query": "red"}).status_code == 200


def test_a_search_in_the_index_has_the_deadline_too(serving, monkeypatch) -> None:
    index = serving.releases.current.index
    gate, original = threading.Event(), index.search

    def slow(*args: Any, **how: Any) -> Any:
        assert gate.wait(20)
        return original(*args, **how)

    monkeypatch.setattr(index, "search", slow)
    response = serving.http.post("/v1/search", json={"query": "red"}, headers={"serving-timeout-ms": "50"})
    gate.set()
    assert (response.status_code, response.json()["error"]["type"]) == (504, "deadline")


def test_equal_questions_at_the_same_time_are_computed_once(serving, monkeypatch) -> None:
    blocked = Blocked(serving.releases.current.encoder, monkeypatch)

    async def scenario(client: httpx.AsyncClient) -> set[str]:
        running = [asyncio.create_task(client.post("/v1/search", json={"query": "red"})) for _ in range(5)]
        await asyncio.to_thread(blocked.wait_until_entered)
        while "serving_duplicates_total 4.0" not in (await client.get("/metrics")).text:
            await asyncio.sleep(0)
        blocked.open()
        return {(await task).text for task in running}

    assert len(together(serving, scenario)) == 1
    assert blocked.computed == 1


def test_the_user_decides_between_stable_and_canary_and_the_answer_says_which(
    serving, folder_registry, make_release
) -> None:
    stable = serving.releases.current.digest
    canary = folder_registry.publish(make_release("red hat", "red scarf"))
    folder_registry.canary("search", canary, percent=20, who="test", why="test")
    serving.releases.poll()
    users = [f"user{at}" for at in range(50)]
    for user in users:
        response = serving.http.post("/v1/search", json={"query": "red"}, headers={"serving-user": user})
        expected = canary if chosen("search", user, 20) else stable
        assert response.json()["release"] == response.headers["serving-release"] == expected
    assert serving.http.post("/v1/search", json={"query": "red"}).json()["release"] == stable
    asked = sum(chosen("search", user, 20) for user in users)
    assert 0 < asked < 50
    for channel, count in (("canary", asked), ("stable", 51 - asked)):
        line = f'serving_requests_total{{channel="{channel}",route="/v1/search",status="200"}} {count:.1f}'
        assert line in serving.http.get("/metrics").text
    ready = serving.http.get("/readyz").json()
    assert (ready["release"], ready["canary"], ready["canary_percent"]) == (stable, canary, 20)


def test_a_canary_that_only_fails_is_seen_in_its_own_numbers(
    serving, folder_registry, make_release, monkeypatch
) -> None:
    serving.canary(folder_registry, make_release("red hat", "red scarf"), percent=50)
    user = next(user for user in map(str, range(100)) if chosen("search", user, 50))
    monkeypatch.setattr(serving.releases.canary.encoder, "run", lambda sequences: 1 / 0)
    answer = serving.http.post("/v1/search", json={"query": "red"}, headers={"serving-user": user})
    assert answer.status_code == 500
    text = serving.http.get("/metrics").text
    assert 'serving_errors_total{channel="canary",kind="internal"} 1.0' in text
    assert 'serving_requests_total{channel="canary",route="/v1/search",status="500"} 1.0' in text


@pytest.mark.parametrize("configured", [0, 4096])
def test_the_backend_knows_what_a_batch_may_have_before_it_warms_a_model(
    start, folder_registry, make_release, monkeypatch, configured: int
) -> None:
    opened = []

    def spy(name: str, **how: int) -> Any:
        opened.append(how["batch_tokens"])
        return open_backend(name, **how)

    monkeypatch.setattr(app, "open_backend", spy)
    with start(batch_tokens=configured) as server:
        server.promote(folder_registry, make_release("red shoes"))
    assert opened == [configured]


def test_a_user_of_any_bytes_is_a_user(serving) -> None:
    for user in (b"", b"\xff\xfe", "用户".encode(), b"a" * 5000):
        headers = {"serving-user": user}
        assert serving.http.post("/v1/search", json={"query": "red"}, headers=headers).status_code == 200
