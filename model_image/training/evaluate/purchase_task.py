"""The protocol of purchases: the first basket after the cut, out of the whole catalogue, no sampled negatives.

A basket is what one user bought on one day. Users count who bought something before the cut and again within the
horizon after it. "novel" are basket products the user had never bought: the user's own are hidden from the ranking, or
they would take all the places; users whose basket has none are not in that segment. "repeat" is the rest of the
basket, "cold" what nobody had bought before the cut. Krichene & Rendle, KDD 2020, say why not to sample negatives.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from model_image.training.data import splits
from model_image.training.data.sql import literal
from model_image.training.dataset import EVENTS, Dataset
from model_image.training.evaluate import segments, tables
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.protocol import ALL, History, Segment, Task
from model_image.training.evaluate.rankings import Truth

RECOMMEND = "recommend"
METRICS = ("ndcg@10", "recall@20", "mrr@10", "hit@10")
HORIZON_DAYS = 61
MOST_USERS = 20_000
"""Users are keyed hashes: the first ones in their order are a sample by chance, the same every time."""

_BUYS = """SELECT "user", product_id, time FROM {events} WHERE action = {purchase}"""


def purchase_task(dataset: Dataset, *, horizon_days: int = HORIZON_DAYS, most_users: int = MOST_USERS) -> Task[History]:
    """Raises `MeasureError` where the dataset has no cut or nobody bought on both sides of it."""
    cut = cut_of(dataset)
    baskets = _baskets(dataset, cut, horizon_days, most_users)
    histories = _histories(dataset, cut, baskets)
    if not histories:
        raise MeasureError(
            f"{dataset.folder}: nobody bought before {cut:%Y-%m-%d} and within {horizon_days} days after it, expected "
            "one user at least; prepare with another --cut or ask for more --horizon days"
        )
    truth = {user: dict.fromkeys(sorted(baskets[user]), 1.0) for user in histories}
    catalogue = tables.read_catalogue(dataset)
    facts = {
        "users": f"{len(truth):,}",
        "products in their baskets": f"{sum(map(len, truth.values())):,}",
        "users with a basket but no history, left out": f"{len(baskets) - len(histories):,}",
        "history before": f"{cut:%Y-%m-%d}",
        "basket": f"the first day of purchases within {horizon_days} days",
        "products in the catalogue": f"{len(catalogue.ids):,}",
    }
    return Task(
        name=RECOMMEND,
        asked=histories,
        segments=_segments(dataset, truth, histories, dict(zip(catalogue.ids, catalogue.categories, strict=True))),
        metrics=METRICS,
        catalogue=frozenset(catalogue.ids),
        facts=facts,
    )


def cut_of(dataset: Dataset) -> datetime:
    """The end of history, in UTC without a zone as the events have it. Raises `MeasureError` where there is none."""
    if dataset.prepared.cut is None:
        raise MeasureError(f"{dataset.folder}: has no cut, expected a date; prepare it with --cut")
    return dataset.prepared.cut.replace(tzinfo=None)


def _segments(
    dataset: Dataset, truth: Truth, histories: dict[str, History], categories: dict[str, str]
) -> tuple[Segment, ...]:
    own = {user: frozenset(history.products) for user, history in histories.items()}
    bought = segments.popularity(dataset, before=cut_of(dataset))
    unseen = {user for user in truth if splits.unseen(user, dataset.prepared.unseen_percent)}
    return (
        Segment(name=ALL, truth=truth),
        segments.of_products("novel", truth, lambda user, product: product not in own[user], hidden=own),
        segments.of_products("repeat", truth, lambda user, product: product in own[user]),
        segments.of_products("cold", truth, lambda user, product: product not in bought),
        segments.of_units("user=new", truth, unseen),
        segments.of_units("user=seen", truth, truth.keys() - unseen),
        *segments.by_popularity(truth, bought),
        *segments.by_category(truth, categories),
    )


def _baskets(dataset: Dataset, cut: datetime, horizon_days: int, most: int) -> dict[str, set[str]]:
    buys = _BUYS.format(events=tables.table(dataset, EVENTS), purchase=literal(dataset.purchase))
    sql = f"""
        WITH later AS (SELECT *, time::DATE AS day FROM ({buys}) WHERE time::TIMESTAMP >= $1 AND time::TIMESTAMP < $2),
        firsts AS (SELECT "user", min(day) AS day FROM later GROUP BY "user" ORDER BY "user" LIMIT {int(most)})
        SELECT DISTINCT "user", product_id FROM later JOIN firsts USING ("user", day) ORDER BY ALL"""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for user, product in tables.query(dataset, sql, (cut, cut + timedelta(days=horizon_days))):
        found[user].add(product)
    return dict(found)


def _histories(dataset: Dataset, cut: datetime, baskets: dict[str, set[str]]) -> dict[str, History]:
    buys = _BUYS.format(events=tables.table(dataset, EVENTS), purchase=literal(dataset.purchase))
    sql = f"""
        SELECT "user", list(product_id ORDER BY time, product_id), list(time::TIMESTAMP ORDER BY time, product_id)
        FROM ({buys}) WHERE time::TIMESTAMP < $1 AND "user" IN (SELECT unnest($2::VARCHAR[]))
        GROUP BY "user" ORDER BY "user" """
    return {
        user: History(tuple(products), tuple((cut - time) / timedelta(days=1) for time in times))
        for user, products, times in tables.query(dataset, sql, (cut, sorted(baskets)))
    }
