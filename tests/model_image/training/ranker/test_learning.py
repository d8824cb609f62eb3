import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from model_image.signals.behaviour import NEIGHBOURS, NOBODY
from model_image.training.ranker.behaviour import Purchases, learn_behaviour, nearest_by_buyers
from model_image.training.ranker.purchasing import baskets

ROWS = 5
bought = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, ROWS - 1)), min_size=1, max_size=40)


def purchases(entries: set[tuple[int, int, int]]) -> Purchases:
    table = np.array(sorted(entries), dtype=np.int64).reshape(-1, 3)
    return Purchases(user=table[:, 0], row=table[:, 2], day=table[:, 1])


@settings(max_examples=40, deadline=None)
@given(bought)
def test_the_tables_equal_a_reckoning_product_by_product(entries: set[tuple[int, int, int]]) -> None:
    found = learn_behaviour(purchases(entries), rows=ROWS + 1, end=31)
    for row in range(ROWS + 1):
        days = [(user, day) for user, day, other in entries if other == row]
        assert np.isclose(found.popularity[row, 1], sum(2 ** (-(31 - day) / 30) for _, day in days), rtol=1e-5)
        assert found.first[row] == max((31 - day for _, day in days), default=0)
        assert found.last[row] == min((31 - day for _, day in days), default=0)
        users = [user for user, _ in days]
        again = sum(users.count(user) > 1 for user in set(users))
        assert np.isclose(found.repeat[row], again / (len(set(users)) + 5))


@settings(max_examples=40, deadline=None)
@given(bought)
def test_neighbours_are_by_cosine_of_the_sets_of_buyers(entries: set[tuple[int, int, int]]) -> None:
    buyers = [{user for user, _, row in entries if row == wanted} for wanted in range(ROWS)]
    found = learn_behaviour(purchases(entries), rows=ROWS, end=31)
    for row in range(ROWS):
        there = found.neighbours[row] != NOBODY
        assert row not in found.neighbours[row]
        for other, likeness in zip(found.neighbours[row][there], found.likeness[row][there], strict=True):
            cosine = len(buyers[row] & buyers[other]) / np.sqrt(len(buyers[row]) * len(buyers[other]))
            assert np.isclose(likeness, cosine, rtol=1e-5)
        assert (np.diff(found.likeness[row]) <= 0).all()
        assert there.sum() == sum(bool(buyers[row] & buyers[other]) for other in range(ROWS) if other != row)


def test_only_the_nearest_are_kept() -> None:
    found, likeness = nearest_by_buyers(sparse.csr_matrix(np.ones((2, NEIGHBOURS + 9), dtype=bool)))
    assert found.shape == (NEIGHBOURS + 9, NEIGHBOURS)
    assert found[0].tolist() == list(range(1, NEIGHBOURS + 1))
    np.testing.assert_allclose(likeness, 1)


def test_purchases_of_the_future_are_refused() -> None:
    with pytest.raises(ValueError, match="day: 31, expected days before 31"):
        learn_behaviour(purchases({(0, 31, 0)}), rows=ROWS, end=31)


def test_nothing_bought_leaves_zeros() -> None:
    found = learn_behaviour(Purchases(*np.empty((3, 0), dtype=np.int64)), rows=ROWS, end=0)
    assert not found.popularity.any()
    assert (found.neighbours == NOBODY).all()


@settings(max_examples=60, deadline=None)
@given(bought, st.integers(1, 30))
def test_a_history_is_before_the_cut_and_the_basket_is_the_first_day_after(
    entries: set[tuple[int, int, int]], cut: int
) -> None:
    for basket in baskets(purchases(entries), cut, horizon=10):
        own = [(day, row) for user, day, row in entries if user == basket.user]
        later = [day for day, _ in own if cut <= day < cut + 10]
        assert (basket.ages > 0).all()
        assert len(basket.rows) == sum(day < cut for day, _ in own)
        assert basket.bought.tolist() == sorted(row for day, row in own if day == min(later))
