"""The baselines on real shop data come near what is stated beside it: another implementation of the same protocol."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from model_image.training.dataset import EVENTS, JUDGMENTS, PRODUCTS, QUERIES, Dataset
from model_image.training.evaluate import baselines_purchases, baselines_search, tables
from model_image.training.evaluate.bootstrap import interval
from model_image.training.evaluate.measures import Key, values
from model_image.training.evaluate.purchase_task import purchase_task
from model_image.training.evaluate.search_task import search_task

_TEXTS = "'' AS brand, '' AS color, '' AS description, '' AS bullet_points"
_ITEMS = "SELECT stock_code FROM '{data}/uci_online_retail/items.parquet' WHERE is_product"
_SEARCH = {
    PRODUCTS: f"SELECT product_id, title, coalesce(category, '') AS category, {_TEXTS} "
    "FROM '{data}/esci_us_150/products.parquet'",
    QUERIES: "SELECT query_id::VARCHAR AS query_id, query, (query_id % 5)::INTEGER AS fold "
    "FROM '{data}/esci_us_150/queries.parquet'",
    JUDGMENTS: "SELECT query_id::VARCHAR AS query_id, product_id, grade::INTEGER AS grade "
    "FROM '{data}/esci_us_150/judgments.parquet'",
}
_PURCHASES = {
    PRODUCTS: f"SELECT stock_code AS product_id, title, '' AS category, {_TEXTS} "
    "FROM '{data}/uci_online_retail/items.parquet' WHERE is_product",
    EVENTS: """SELECT md5(customer_id::VARCHAR) AS "user", stock_code AS product_id, 'purchase' AS action,
        ts::TIMESTAMP AT TIME ZONE 'UTC' AS time FROM '{data}/uci_online_retail/interactions.parquet'
        WHERE customer_id IS NOT NULL AND quantity > 0 AND NOT starts_with(invoice_no, 'C') AND stock_code IN ("""
    + _ITEMS
    + ") ORDER BY ALL",
}


@pytest.fixture
def adapted(prepare, tmp_path: Path, data_dir: Path) -> Callable[[dict[str, str]], Dataset]:
    """A prepared folder out of the raw files, by questions to duckdb."""

    def make(questions: dict[str, str]) -> Dataset:

        import duckdb

        absent = dict.fromkeys(("queries", "judgments", "events"))
        given = {name.removesuffix(".parquet"): [] for name in questions}
        dataset = prepare(cut=datetime(2011, 8, 1, tzinfo=UTC), **{**absent, **given})
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, sql in questions.items():
                connection.execute(f"COPY ({sql.format(data=data_dir)}) TO '{dataset.folder / name}'")
        return dataset

    return make


def test_bm25_over_titles_is_as_good_as_stated(adapted, measured):
    dataset = adapted(_SEARCH)
    system = baselines_search.bm25(tables.read_catalogue(dataset))
    for whole, stated in ((False, 0.645), (True, 0.577)):
        task = search_task(dataset, whole_catalogue=whole)
        found = interval(values(task, system(task.asked))[Key(task.name, "ndcg@10", "all")])
        measured(f"{task.name}: {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], stated {stated}")
        assert found.count == 120
        assert found.value == pytest.approx(stated, abs=0.02)


def test_purchase_baselines_are_as_good_as_stated(adapted, measured):
    import numpy as np

    dataset = adapted(_PURCHASES)
    task, ids = purchase_task(dataset), tables.read_catalogue(dataset).ids
    systems = baselines_purchases.purchase_baselines(dataset, ids, np.zeros((len(ids), 2)))
    for name, stated in (("popularity", (0.114, 0.060)), ("item-kNN", (0.236, 0.099))):
        run = values(task, systems[name](task.asked))
        for segment, least in zip(("all", "novel"), stated, strict=True):
            found = interval(run[Key("recommend", "ndcg@10", segment)])
            measured(f"{name}, {segment}: {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], stated {least}")
            assert least - 0.01 <= found.value <= least + 0.06
