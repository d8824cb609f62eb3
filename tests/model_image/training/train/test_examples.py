"""Every example once per epoch, in a seeded order, beside others of like length."""

from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_image.training.train.examples import Examples

from .conftest import MakeData, rank_rows  # isort: skip

Open = Callable[[int], Examples]


@pytest.fixture
def opened(make_data: MakeData) -> Open:
    return lambda count: Examples(make_data("rank", rank_rows(count)).examples("rank"), "rank")


def rows(examples: Examples, *, seed: int = 1, epoch: int = 0, batch: int = 4, window: int = 3) -> list[list[int]]:
    return [[example.row for example in part] for part in examples.epoch(seed, epoch, batch, window)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(count=st.integers(7, 60), batch=st.integers(1, 9), window=st.integers(1, 5))
def test_an_epoch_has_every_training_example_once(opened: Open, count: int, batch: int, window: int) -> None:
    found = rows(opened(count), batch=batch, window=window)
    assert sorted(row for part in found for row in part) == list(range(1, count - 6 + 1))
    assert sorted(map(len, found))[1:] == [batch] * (len(found) - 1)


def test_the_order_is_the_seeds_and_the_epochs(opened: Open) -> None:
    examples = opened(40)
    assert rows(examples) == rows(examples)
    assert rows(examples) != rows(examples, seed=2)
    assert rows(examples) != rows(examples, epoch=1)


def test_batches_are_of_like_length(opened: Open) -> None:
    examples = opened(70)
    spread = [
        max(example.length for example in part) - min(example.length for example in part)
        for part in examples.epoch(1, 0, 8, 8)
    ]
    assert max(spread) <= 4  # of 2 to 21 characters


def test_a_window_is_all_that_is_read_ahead(opened: Open) -> None:
    """The first batch comes before the later row groups are read: with a window of one batch, from two groups of 5."""
    examples = opened(60)
    first = next(iter(examples.epoch(1, 0, 4, 1)))
    assert len({(example.row - 1) // 5 for example in first}) <= 2


def test_a_sample_has_whole_queries_from_anywhere(make_data: MakeData) -> None:
    """The head of the file would be the first letters of the alphabet, and half of the last query."""
    valid = [{**row, "query": f"q{at // 3:03}", "split": "valid"} for at, row in enumerate(rank_rows(300))]
    examples = Examples(make_data("rank", valid).examples("rank"), "rank")
    found = [example.values["query"] for example in examples.sample("valid", 40)]
    assert len(found) == 39
    assert {found.count(query) for query in found} == {3}
    assert max(found) > "q060"
    assert found == [example.values["query"] for example in examples.sample("valid", 40)]
    assert found == sorted(found)
    assert len(examples.sample("valid", 999)) == 300
    assert len(examples.sample("valid", 2)) == 3
    assert examples.sample("valid", 0) == []


def test_a_column_is_read_alone(opened: Open) -> None:
    assert opened(20).count("valid") == 6
    assert len(list(islice(opened(20).column("wished", "train"), 99))) == 14
