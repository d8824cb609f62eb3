import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image import approximate
from model_image.index import IndexFileError, VectorIndex, read_index, write_index
from model_image.layout import APPROXIMATE, INDEX


def unit(rows: int, dimension: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    normed: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normed


@given(st.integers(1, 40), st.integers(1, 50), st.sets(st.integers(0, 45), max_size=10), st.integers(0, 2**32 - 1))
def test_search_equals_a_full_sort_with_ties_in_row_order(rows: int, k: int, exclude: set[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.integers(-2, 3, (rows, 3)).astype(np.float32)
    query = generator.integers(-2, 3, 3).astype(np.float32)
    left = sorted(set(range(rows)) - exclude, key=lambda row: (-float(vectors[row] @ query), row))[:k]
    assert [row for row, _ in VectorIndex(vectors).search(query, k, exclude=exclude)] == left


def test_of_many_equal_rows_the_first_ones_are_found() -> None:
    vectors = np.repeat(unit(2, 64), 3000, axis=0)
    assert [row for row, _ in VectorIndex(vectors).search(vectors[3000], 5)] == [3000, 3001, 3002, 3003, 3004]


def test_a_stored_index_gives_the_same_scores_within_half_precision(tmp_path: Path) -> None:
    vectors = unit(20, 64)
    write_index(tmp_path, vectors)
    assert not (tmp_path / APPROXIMATE).exists()
    stored = read_index(tmp_path)
    assert (len(stored), stored.dimension, stored.bytes) == (20, 64, 20 * 64 * 2)
    for row, score in stored.search(vectors[3], 20):
        assert score == pytest.approx(float(vectors[row] @ vectors[3]), abs=1e-3)
    assert stored.vectors([7, 3, 7]) == pytest.approx(vectors[[7, 3, 7]], abs=1e-3)


def test_of_a_large_catalogue_nearly_all_neighbours_are_found_with_exact_scores(tmp_path: Path) -> None:
    centres = unit(60, 32)
    vectors = np.repeat(centres, 50, axis=0) + unit(3000, 32, 1) * 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    write_index(tmp_path, vectors, exact_rows=2999)
    stored, exact = read_index(tmp_path), VectorIndex(vectors)
    assert stored.bytes > exact.bytes
    found = 0
    for query in centres:
        wanted, given_ = dict(exact.search(query, 20, exclude=[0])), dict(stored.search(query, 20, exclude=[0]))
        assert len(given_) == 20
        assert 0 not in given_
        assert all(given_[row] == pytest.approx(wanted[row], abs=1e-6) for row in wanted.keys() & given_.keys())
        found += len(wanted.keys() & given_.keys())
    assert found / (20 * len(centres)) > 0.98


def test_many_equal_rows_in_a_large_catalogue_leave_no_answer_short(tmp_path: Path) -> None:
    """Most lists of the inverted file are short then, and the usual number of them holds few rows."""
    different = unit(500, 32)
    vectors = np.concatenate((different, np.repeat(unit(1, 32, 7), 5500, axis=0)))
    write_index(tmp_path, vectors, exact_rows=5999)
    stored = read_index(tmp_path)
    seen = list(range(100))
    for query in different[::25]:
        found = [row for row, _ in stored.search(query, 100, exclude=seen)]
        assert len(set(found)) == 100
        assert not set(found) & set(seen)
    assert len(stored.search(different[0], 5999, exclude=seen)) == 5900


def test_vectors_are_in_memory_once(tmp_path: Path, monkeypatch) -> None:
    """The file is read piece by piece, and nothing that grows is given a reserve."""
    vectors = unit(300, 16)
    write_index(tmp_path, vectors)
    monkeypatch.setattr("model_image.index._CHUNK", 64)
    monkeypatch.setattr("safetensors.numpy.load_file", None)
    index = read_index(tmp_path)
    codes = index._exact.codes
    assert (codes.size(), index._exact.ntotal) == (index.bytes, 300)
    assert index.vectors(range(300)) == pytest.approx(vectors, abs=1e-3)
    assert [row for row, _ in index.search(vectors[200], 1)] == [200]


def test_the_same_vectors_give_the_same_approximate_index(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_index(tmp_path / name, unit(500, 16), exact_rows=100)
    assert (tmp_path / "one" / APPROXIMATE).read_bytes() == (tmp_path / "other" / APPROXIMATE).read_bytes()


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        (np.full((2, 3), np.nan), "row 0"),
        (np.array([[1.0, 0, 0], [np.inf, 0, 0]]), "finite numbers, row 1"),
        (np.zeros((0, 3)), "shape"),
        (np.zeros(3), "shape"),
        (np.array([[1.0, 0, 0], [0.5, 0, 0]]), "length 1, row 1 has 0.500"),
    ],
)
def test_an_index_of_another_shape_or_with_unusable_rows_is_refused(tmp_path: Path, vectors, told: str) -> None:
    write_index(tmp_path, vectors)
    with pytest.raises(IndexFileError, match=told):
        read_index(tmp_path)


def truncated(data: bytearray, generator: np.random.Generator) -> bytes:
    return bytes(data[: generator.integers(0, len(data))])


def header_altered(data: bytearray, generator: np.random.Generator) -> bytes:
    for place in generator.integers(0, 200, 4):
        data[place] = generator.integers(0, 256)
    return bytes(data)


def noise(data: bytearray, generator: np.random.Generator) -> bytes:
    return generator.bytes(500)


@pytest.mark.parametrize("damage", [truncated, header_altered, noise], ids=lambda damage: damage.__name__)
def test_a_damaged_approximate_index_is_refused_or_harmless(
    tmp_path: Path, damage: Callable[[bytearray, np.random.Generator], bytes]
) -> None:
    """A release's files are verified before they are read; what a damaged one does must still not end the server."""
    vectors, generator = unit(500, 16), np.random.default_rng(0)
    write_index(tmp_path, vectors, exact_rows=100)
    whole = (tmp_path / APPROXIMATE).read_bytes()
    refused = 0
    for _ in range(60):
        (tmp_path / APPROXIMATE).write_bytes(damage(bytearray(whole), generator))
        try:
            rows = [row for row, _ in read_index(tmp_path).search(vectors[0], 10)]
        except IndexFileError:
            refused += 1
        else:
            assert set(rows) <= set(range(500))
    assert refused >= (20 if damage is header_altered else 59)


def test_an_approximate_index_over_other_vectors_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    import faiss

    vectors = unit(500, 16)
    write_index(tmp_path, vectors, exact_rows=100)
    approximate.write(approximate.build(vectors[:499]), tmp_path / APPROXIMATE)
    with pytest.raises(IndexFileError, match="over 499 vectors of 16, expected 500"):
        read_index(tmp_path)
    faiss.write_index(faiss.IndexFlatIP(16), str(tmp_path / APPROXIMATE))
    with pytest.raises(IndexFileError, match="IndexFlat"):
        read_index(tmp_path)
    assert (tmp_path / INDEX).exists()


def test_faiss_is_not_imported_before_there_is_an_index() -> None:
    code = "import sys, model_image.index, model_image.server.releases.release; assert 'faiss' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
