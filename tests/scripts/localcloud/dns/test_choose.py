"""Route 53's choice among the records of one name."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.localcloud.dns.choose import choose, shares
from scripts.localcloud.dns.view import Record
from scripts.localcloud.fit import p_value

GROUPS = st.lists(st.tuples(st.integers(0, 255), st.booleans()), min_size=1, max_size=6)


def records(*weights: int | None) -> list[Record]:
    return [
        Record(name="a.test", type="A", ttl=60, values=(f"192.0.2.{i}",), set_identifier=str(i), weight=weight)
        for i, weight in enumerate(weights)
    ]


def split(weights: list[int], healthy: list[bool]) -> list[float]:
    group = records(*weights)
    return shares(group, lambda record: healthy[int(record.set_identifier)])


@pytest.mark.parametrize(
    ("weights", "healthy", "expected"),
    [
        ([70, 30], [True, True], [0.7, 0.3]),
        ([70, 30], [True, False], [1.0, 0.0]),
        ([1, 0], [True, True], [1.0, 0.0]),
        ([1, 0], [False, True], [0.0, 1.0]),  # weight 0 answers only when every other is unhealthy
        ([1, 1, 0], [True, False, True], [1.0, 0.0, 0.0]),
        ([70, 30], [False, False], [0.7, 0.3]),  # all unhealthy: all count as healthy
        ([1, 0], [False, False], [1.0, 0.0]),
        ([0, 0], [True, True], [0.5, 0.5]),
        ([0, 0], [True, False], [1.0, 0.0]),
    ],
)
def test_shares_follow_weights_and_health(weights: list[int], healthy: list[bool], expected: list[float]) -> None:
    assert split(weights, healthy) == pytest.approx(expected)


@given(GROUPS)
def test_shares_are_probabilities(group: list[tuple[int, bool]]) -> None:
    found = split([weight for weight, _ in group], [up for _, up in group])
    assert sum(found) == pytest.approx(1.0)
    assert all(share >= 0 for share in found)


@given(GROUPS)
def test_an_unhealthy_record_answers_only_when_all_are_unhealthy(group: list[tuple[int, bool]]) -> None:
    healthy = [up for _, up in group]
    found = split([weight for weight, _ in group], healthy)
    if any(healthy):
        assert all(share == 0 for share, up in zip(found, healthy, strict=True) if not up)


@given(GROUPS, st.floats(0, 1, exclude_max=True))
def test_the_chosen_record_has_a_share(group: list[tuple[int, bool]], point: float) -> None:
    found = records(*(weight for weight, _ in group))
    healthy = [up for _, up in group]
    chosen = choose(found, lambda record: healthy[int(record.set_identifier)], lambda: point)
    assert chosen is not None
    assert split([weight for weight, _ in group], healthy)[found.index(chosen)] > 0


@pytest.mark.parametrize("weights", [[70, 30], [1, 254], [10, 20, 30, 40]])
def test_draws_agree_with_the_weights(weights: list[int]) -> None:
    group, draw = records(*weights), random.Random(53)
    counts = Counter(choose(group, lambda _: True, draw.random) for _ in range(5000))
    assert p_value([counts[record] for record in group], [weight / sum(weights) for weight in weights]) > 0.001


def test_wrong_weights_are_noticed_by_the_same_test() -> None:
    group, draw = records(60, 40), random.Random(53)
    counts = Counter(choose(group, lambda _: True, draw.random) for _ in range(5000))
    assert p_value([counts[record] for record in group], [0.7, 0.3]) < 0.001


def test_an_empty_group_has_no_choice() -> None:
    assert choose([], lambda _: True, lambda: 0.5) is None
