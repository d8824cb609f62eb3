"""The first answers of a release: that they are right, and what is told of the time they took."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.server.backend import LoadedModel
from model_image.server.backends.dummy import DummyBackend, DummyModel
from model_image.server.releases.release import load_release
from model_image.server.releases.warm import PART, BadAnswerError, warm
from model_image.server.scheduling.pace import Pace
from model_image.settings import ModelSettings
from tests.model_image.server.whole import PARTS

PER_TOKEN = 0.003


class Timed(DummyModel):
    """Takes `PER_TOKEN` seconds of `clock` for each token."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__(settings)
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def run(self, sequences: Any) -> np.ndarray:
        self.now += PER_TOKEN * sum(len(sequence.ids) for sequence in sequences)
        return super().run(sequences)


@pytest.mark.parametrize("head", ["embed", "rank"])
@given(batch_tokens=st.integers(1, 5000))
def test_the_first_answer_is_large_enough_to_tell_the_pace(head: Any, batch_tokens: int) -> None:
    model = Timed(ModelSettings(head=head, max_tokens=32, dimension=8))
    pace = Pace()
    pace.full = batch_tokens
    told: list[int] = []

    def learn(model: LoadedModel, tokens: int, seconds: float) -> None:
        told.append(tokens)
        pace.learn(model, tokens, seconds)

    warm(model, pairs=head == "rank", batch_tokens=batch_tokens, learn=learn, clock=model.clock)
    assert pace.of(model) == pytest.approx(PER_TOKEN)
    assert told[0] <= batch_tokens / PART + 64  # and no larger: it delays the first answers


def test_every_model_of_a_release_is_timed(make_release) -> None:
    told: list[LoadedModel] = []
    folder: Path = make_release("red shoes", **PARTS)
    release = load_release(
        folder, "digest", DummyBackend(), learn=lambda model, tokens, seconds: told.append(model), clock=lambda: 0.0
    )
    assert told == [release.encoder, release.cross_encoder, *(release.tasks[name] for name in sorted(release.tasks))]


def test_an_answer_of_another_shape_is_refused_and_tells_no_time() -> None:
    model = DummyModel(ModelSettings(head="rank", max_tokens=32))
    model.run = lambda sequences: np.zeros((1, 2), dtype=np.float32)  # type: ignore[method-assign]
    with pytest.raises(BadAnswerError, match="expected"):
        warm(model, pairs=True, batch_tokens=2048, learn=lambda *told: pytest.fail("told"))
