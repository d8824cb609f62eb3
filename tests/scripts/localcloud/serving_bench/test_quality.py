"""Rankings are compared within each query, and a model is told from chance on queries it never saw."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from scripts.localcloud.console import BadInput
from scripts.localcloud.serving_bench.judged import ShopData
from scripts.localcloud.serving_bench.quality import agreement, ndcg, spearman


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ([1, 2, 3], [10, 20, 30], 1.0),
        ([1, 2, 3], [3, 2, 1], -1.0),
        ([1, 2, 3, 4], [1, 3, 2, 4], 0.8),
        ([1, 2, 2, 3], [1, 2, 3, 4], 0.948683),  # equal scores share the mean of their ranks
    ],
)
def test_spearman_is_that_of_the_ranks(first: list[float], second: list[float], value: float) -> None:
    assert spearman(first, second) == pytest.approx(value)


def test_agreement_is_over_lists_and_not_over_all_pairs() -> None:
    seen = agreement([[1, 2, 3], [300, 200, 100]], [[1, 2, 3], [100, 200, 300]])
    assert (seen.lists, seen.spearman, seen.worst, seen.top_kept) == (2, pytest.approx(0), pytest.approx(-1), 0.5)


def test_ndcg_is_1_for_the_best_order_and_less_for_any_other() -> None:
    assert ndcg([4, 3, 2, 1], [3, 2, 1, 0]) == pytest.approx(1)
    assert ndcg([1, 2, 3, 4], [3, 2, 1, 0]) < 0.6
    assert ndcg([1, 2], [0, 0]) == 0


def test_training_and_held_out_share_no_query(tmp_path: Path) -> None:
    data = ShopData(written(tmp_path, queries=10))
    assert len(data.queries) == 10
    assert {one.query for one in data.training} | {one.query for one in data.held_out} == {
        one.query for one in data.queries
    }
    assert not {one.query for one in data.training} & {one.query for one in data.held_out}


def test_a_product_is_read_as_the_server_pairs_it(tmp_path: Path) -> None:
    judged = ShopData(written(tmp_path, queries=1)).queries[0]
    assert judged.texts == ("title 0. shoes > boots", "title 1")
    assert judged.grades == (3, 0)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"queries\.parquet is not there"):
        ShopData(tmp_path)


def written(folder: Path, *, queries: int) -> Path:
    tables = {
        "queries": {"query_id": list(range(queries)), "query": [f"query {at}" for at in range(queries)]},
        "products": {
            "product_id": ["a", "b"],
            "title": ["title 0", "title 1"],
            "category": ["shoes > boots", ""],
            "bullet_points": ["soft", "hard"],
            "description": ["", ""],
        },
        "judgments": {
            "query_id": [at for at in range(queries) for _ in "ab"],
            "product_id": ["a", "b"] * queries,
            "grade": [3, 0] * queries,
        },
    }
    for name, columns in tables.items():
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / f"{name}.parquet")
    return folder
