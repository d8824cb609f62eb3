"""One batch whose model fails."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.server.errors import BackendLostError
from model_image.server.scheduling.compute import MAX_FAILURES, compute
from tests.model_image.server.gate_model import GateModel, sequence


@given(count=st.integers(1, 300), data=st.data())
def test_one_bad_sequence_fails_alone_wherever_it_stands(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, count - 1))
    model = GateModel(poison=bad)
    rows, errors = compute(model, [sequence(at) for at in range(count)])
    assert set(errors) == {bad}
    assert all(row.tolist() == [at] for at, row in enumerate(rows) if at != bad)


@pytest.mark.parametrize("count", [1, 2, 33, 2000])
def test_a_model_that_always_fails_is_given_up_soon(count: int) -> None:
    model = GateModel(poison=0)
    errors = compute(model, [sequence(at, 0) for at in range(count)]).errors
    assert set(errors) == set(range(count))
    assert all(isinstance(each, ValueError) for each in errors.values())
    assert len(model.ran) <= 2 * MAX_FAILURES


def test_a_model_that_gives_too_few_rows_is_an_error_and_no_wrong_answer() -> None:
    model = GateModel()
    run = model.run
    model.run = lambda sequences: run(sequences)[:-1]  # type: ignore[method-assign]
    errors = compute(model, [sequence(1), sequence(2)]).errors
    assert [type(errors[at]) for at in range(2)] == [RuntimeError, RuntimeError]


@pytest.mark.parametrize("answer", [None, np.zeros(2), np.zeros((2, 5)), np.zeros((3, 1))])
def test_what_has_not_the_shape_of_an_answer_is_an_error(answer: Any) -> None:
    model = GateModel()
    model.run = lambda sequences: answer  # type: ignore[method-assign]
    assert set(compute(model, [sequence(1), sequence(2)]).errors) == {0, 1}


def test_a_lost_backend_is_not_asked_for_the_other_parts_and_what_was_done_stays() -> None:
    model = GateModel(poison=7)
    run = model.run

    def lost_at_seven(sequences: Any) -> Any:
        try:
            return run(sequences)
        except ValueError:
            if len(sequences) > 2:
                raise
            raise BackendLostError from None

    model.run = lost_at_seven  # type: ignore[method-assign]
    rows, errors = compute(model, [sequence(at) for at in range(4, 12)])
    assert model.ran == [[4, 5, 6, 7, 8, 9, 10, 11], [4, 5, 6, 7], [4, 5], [6, 7]]
    assert set(errors) == set(range(2, 8))
    assert rows[:2].tolist() == [[4], [5]]
