"""What answers leave to other threads, so that the event loop goes on serving the others."""

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from model_image.server.answers import Answers
from model_image.server.backend import Tokens, TokenSequence
from model_image.server.metrics import Metrics
from model_image.server.scheduling.scheduler import Asked, Scheduler
from tests.model_image.server.gate_model import GateModel


class Pairs(GateModel):
    """Remembers which threads built pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[str] = set()

    def pair(self, first: Tokens, second: Tokens) -> TokenSequence:
        self.threads.add(threading.current_thread().name)
        return super().pair(first, second)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    made = Scheduler(Metrics(), workers=1, batch_tokens=2048, max_wait=1e6)
    yield made
    made.close()


@pytest.mark.parametrize(("texts", "elsewhere"), [(3, False), (1000, True)])
def test_many_pairs_are_built_on_another_thread(scheduler: Scheduler, texts: int, elsewhere: bool) -> None:
    model = Pairs()
    release: Any = SimpleNamespace(cross_encoder=model)
    answers = Answers(release, scheduler, Asked("a", 1e9))
    ranked = asyncio.run(answers.rerank("word", ["a" * (1 + at) for at in range(texts)], raw=True))
    assert [at for at, _ in ranked] == list(reversed(range(texts)))
    assert {name.startswith("offload") for name in model.threads} == {elsewhere}
