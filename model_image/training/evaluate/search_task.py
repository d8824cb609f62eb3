"""The search protocol: graded queries, the judged products reranked or the whole catalogue searched.

A query counts once, whatever it has of judgments. Products without a judgment are irrelevant: of a shop where few of
many were judged, searching the catalogue is judged too hard, alike for all systems.
"""

from model_image.training.dataset import EVENTS, JUDGMENTS, QUERIES, Dataset
from model_image.training.evaluate import segments, tables
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.protocol import ALL, Asked, Segment, Task
from model_image.training.evaluate.rankings import GRADE_GAINS

SEARCH = "search"
RERANK = "rerank"
METRICS = ("ndcg@10", "mrr@10", "recall@100", "hit@10")
RERANK_METRICS = ("ndcg@10", "ndcg", "mrr@10")
"""All judged products are ranked: their recall says nothing."""


def search_task(dataset: Dataset, *, whole_catalogue: bool, fold: int | None = None) -> Task[Asked]:
    """The queries of `fold`, or of all: named `SEARCH` over the whole catalogue, `RERANK` over what was judged.

    Raises `MeasureError` where no query is left, `DatasetError` where a table is missing.
    """
    queries = _queries(dataset, fold)
    grades = _grades(dataset, queries)
    catalogue = tables.read_catalogue(dataset)
    if not grades:
        raise MeasureError(f"{dataset.folder}: no judged query in fold {fold}, expected one at least; check --fold")
    truth = {
        query: {product: GRADE_GAINS[grade] for product, grade in judged.items()} for query, judged in grades.items()
    }
    asked = {
        query: Asked(queries[query], None if whole_catalogue else tuple(sorted(judged)))
        for query, judged in grades.items()
    }
    bought = segments.popularity(dataset) if dataset.has(EVENTS) else {}
    parts = (
        Segment(name=ALL, truth=truth),
        *segments.by_query_length(truth, queries),
        *segments.by_main_category(truth, dict(zip(catalogue.ids, catalogue.categories, strict=True))),
        *segments.by_popularity(truth, bought),
    )
    exact = sum(grade == 3 for judged in grades.values() for grade in judged.values())
    facts = {
        "queries": f"{len(truth):,}" + ("" if fold is None else f" of fold {fold}"),
        "judged products": f"{sum(map(len, grades.values())):,}, {exact:,} of them exact",
        "queries without a judgment, left out": f"{len(queries) - len(grades):,}",
        "products in the catalogue": f"{len(catalogue.ids):,}",
    }
    return Task(
        name=SEARCH if whole_catalogue else RERANK,
        asked=asked,
        segments=parts,
        metrics=METRICS if whole_catalogue else RERANK_METRICS,
        catalogue=frozenset(catalogue.ids),
        facts=facts,
    )


def _queries(dataset: Dataset, fold: int | None) -> dict[str, str]:
    where = "" if fold is None else f" WHERE fold = {int(fold)}"
    rows = tables.query(
        dataset, f"SELECT query_id, query FROM {tables.table(dataset, QUERIES)}{where} ORDER BY query_id"
    )
    return dict(rows)


def _grades(dataset: Dataset, queries: dict[str, str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    source = tables.table(dataset, JUDGMENTS)
    for query, product, grade in tables.query(
        dataset, f"SELECT query_id, product_id, grade FROM {source} ORDER BY ALL"
    ):
        if grade not in range(len(GRADE_GAINS)):
            raise MeasureError(f"query {query!r}, product {product!r}: grade {grade}, expected 0 to 3; prepare again")
        if query in queries:
            found.setdefault(query, {})[product] = int(grade)
    return found
