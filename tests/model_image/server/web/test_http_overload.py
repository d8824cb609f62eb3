"""Too much at once: who is refused, on a server that has computed nothing yet but its warm-up."""

import asyncio
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from model_image.server import app
from model_image.server.releases.release import load_release
from model_image.server.scheduling import pace
from model_image.server.web import schema
from tests.model_image.server.blocked import Blocked
from tests.model_image.server.whole import together


def warmed_in(seconds: float, patch: pytest.MonkeyPatch) -> None:
    """From now on each model takes so long for its first answer, of 516 tokens."""
    times = count(0.0, seconds)
    patch.setattr(app, "load_release", partial(load_release, clock=lambda: next(times)))


def test_a_full_queue_is_told_at_once_while_the_event_loop_stays_free(
    server, folder_registry, make_release, monkeypatch
) -> None:
    warmed_in(0.05, monkeypatch)
    server.promote(folder_registry, make_release("red running shoes"))
    blocked = Blocked(server.releases.current.encoder, monkeypatch)

    async def scenario(client: httpx.AsyncClient) -> tuple[list[int], httpx.Response, int]:
        texts = [[f"{one} {at} " + "word " * 30 for at in range(schema.MAX_TEXTS)] for one in range(3)]
        bodies = [{"input": each} for each in texts]  # of 4,096 tokens: 0.4 s each
        running = [asyncio.create_task(client.post("/v1/embeddings", json=body)) for body in bodies[:2]]
        await asyncio.to_thread(blocked.wait_until_entered)
        while "serving_waiting_texts 256.0" not in (await client.get("/metrics")).text:
            await asyncio.sleep(0)
        refused = await client.post("/v1/embeddings", json=bodies[2])
        live = await client.get("/healthz")
        blocked.open()
        return [(await task).status_code for task in running], refused, live.status_code

    accepted, refused, live = together(server, scenario)
    assert accepted == [200, 200]
    assert live == 200
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert "this one would wait 0.79 s, at most 0.5 are allowed" in refused.json()["error"]["message"]


@pytest.mark.parametrize(("guess", "warm_seconds", "second"), [(1e6, 1e-6, 200), (1e-9, 1e6, 429)])
def test_the_first_waits_are_told_by_the_warm_up_and_not_by_a_guess(
    server, folder_registry, make_release, monkeypatch, guess: float, warm_seconds: float, second: int
) -> None:
    monkeypatch.setattr(pace, "_GUESS", guess)
    warmed_in(warm_seconds, monkeypatch)
    server.promote(folder_registry, make_release("red running shoes"))
    blocked = Blocked(server.releases.current.encoder, monkeypatch)

    async def scenario(client: httpx.AsyncClient) -> list[int]:
        def asked(text: str) -> Any:
            return asyncio.create_task(client.post("/v1/embeddings", json={"input": text}))

        first = asked("red")
        await asyncio.to_thread(blocked.wait_until_entered)
        later = asked("blue")
        while not later.done() and "serving_waiting_texts 2.0" not in (await client.get("/metrics")).text:
            await asyncio.sleep(0)
        blocked.open()
        return [(await first).status_code, (await later).status_code]

    assert together(server, scenario) == [200, second]
