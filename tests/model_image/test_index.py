import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.index import IndexFileError, VectorIndex, read_index, write_index


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_search_equals_a_full_sort_with_ties_in_row_order(rows: int, k: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.integers(-2, 3, (rows, 3)).astype(np.float32)
    query = generator.integers(-2, 3, 3).astype(np.float32)
    expected = sorted(range(rows), key=lambda row: (-float(vectors[row] @ query), row))[:k]
    assert [row for row, _ in VectorIndex(vectors).search(query, k)] == expected


def test_a_stored_index_gives_the_same_scores_within_half_precision(tmp_path) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    write_index(tmp_path / "index", vectors)
    stored = read_index(tmp_path / "index").search(vectors[3], 20)
    for (row, score), (expected_row, expected) in zip(
        stored[:1], VectorIndex(vectors).search(vectors[3], 1), strict=True
    ):
        assert (row, score) == (expected_row, pytest.approx(expected, abs=1e-3))


@pytest.mark.parametrize("vectors", [np.full((2, 3), np.nan), np.zeros((0, 3)), np.zeros(3)])
def test_an_index_of_another_shape_or_without_finite_numbers_is_refused(tmp_path, vectors) -> None:
    write_index(tmp_path / "index", vectors)
    with pytest.raises(IndexFileError, match="expected finite numbers"):
        read_index(tmp_path / "index")
