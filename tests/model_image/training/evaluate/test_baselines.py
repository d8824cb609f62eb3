"""Baselines rank as their names say, and look at nothing after the cut."""

from datetime import UTC, datetime

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_image.embed import embed_texts
from model_image.server.backends.dummy import DummyModel
from model_image.settings import ModelSettings
from model_image.training.data import splits
from model_image.training.evaluate import baselines_purchases as purchases
from model_image.training.evaluate import baselines_search as search
from model_image.training.evaluate import tables
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.fusion import fused
from model_image.training.evaluate.protocol import Asked, History
from model_image.training.evaluate.purchase_task import purchase_task
from model_image.training.evaluate.rankings import ranking
from model_image.training.evaluate.search_task import search_task
from model_image.training.ranker.tables import read_bought


def _embed(texts):
    return embed_texts(DummyModel(ModelSettings(head="embed", max_tokens=32, dimension=64)), list(texts))


def _best(run, key):
    return ranking(key, run[key])[0]


def test_every_search_baseline_finds_what_the_query_names_in_any_script(prepare):
    catalogue = tables.read_catalogue(prepare())
    baselines = search.search_baselines(catalogue, _embed, _embed(catalogue.titles))
    asked = {"shoe": Asked("blue shoe"), "lamp": Asked("台灯")}
    assert set(baselines) == {"bm25", "base encoder", "bm25+base encoder"}
    for system in baselines.values():
        assert (_best(system(asked), "shoe"), _best(system(asked), "lamp")) == ("p1", "p3")


def test_bm25_finds_no_product_without_a_word_of_the_query_but_ranks_every_candidate(prepare):
    catalogue = tables.read_catalogue(prepare())
    run = search.bm25(catalogue)({"all": Asked("shoe"), "some": Asked("shoe", ("p0", "p2", "ghost"))})
    assert set(run["all"]) == {"p0", "p1"}
    assert set(run["some"]) == {"p0", "p2"}
    assert run["some"]["p2"] == 0


def test_what_the_shop_calls_a_purchase_is_one(prepare):
    dataset = prepare()
    orders = [{**event, "action": "order"} for event in pq.read_table(dataset.path("events.parquet")).to_pylist()]
    ordered, ids = prepare(events=orders, purchase="order"), [f"p{at}" for at in range(8)]
    assert purchase_task(ordered).asked == purchase_task(dataset).asked
    assert purchase_task(ordered).segments == purchase_task(dataset).segments
    assert (purchases.popularity(ordered, ids) == purchases.popularity(dataset, ids)).all()
    rows = {product: row for row, product in enumerate(ids)}
    assert len(read_bought(ordered, rows).entries.day) == len(read_bought(dataset, rows).entries.day) > 0
    with pytest.raises(MeasureError, match="nobody bought"):
        purchase_task(prepare(events=orders))


def test_purchases_after_the_cut_and_of_unseen_users_change_no_baseline(prepare):
    dataset = prepare()
    sql = "SELECT * FROM read_parquet(?)"
    names = ("user", "product_id", "action", "time", "quantity")
    rows = [
        dict(zip(names, row, strict=True)) for row in tables.query(dataset, sql, (str(dataset.path("events.parquet")),))
    ]
    cut = dataset.prepared.cut
    known = [row for row in rows if row["time"] < cut and not splits.unseen(row["user"], 20)]
    assert len(known) < sum(row["time"] < cut for row in rows)
    less = prepare(events=known)
    ids = [f"p{at}" for at in range(8)]
    history = History(("p0", "p1"), (3.0, 1.0))
    for days in (1, 30):
        assert (purchases.popularity(dataset, ids, days=days) == purchases.popularity(less, ids, days=days)).all()
    assert (purchases.item_knn(dataset, ids)(history) == purchases.item_knn(less, ids)(history)).all()


def test_own_frequency_counts_days_and_then_popularity_decides(prepare):
    dataset = prepare()
    ids = tables.read_catalogue(dataset).ids
    own = purchases.purchase_baselines(dataset, ids, np.eye(8))["own frequency"]
    history = History(("p2", "p5", "p5", "p6", "p2"), (9.2, 5.5, 5.4, 5.3, 1.0))
    order = ranking("u", own({"u": history})["u"])
    assert order[0] == "p2"
    assert set(order[1:3]) == {"p5", "p6"}
    assert set(order) == set(ids)


def test_item_knn_is_the_cosine_of_who_bought_what(prepare):
    pairs = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("c", 0), ("d", 2)]
    hashes = {name: f"{99 - at:08x}" + "0" * 24 for at, name in enumerate("abcd")}
    events = [
        {
            "user": hashes[name],
            "product_id": f"p{product}",
            "action": "purchase",
            "time": datetime(2026, 2, 1, tzinfo=UTC),
        }
        for name, product in pairs
    ]
    scores = purchases.item_knn(prepare(events=events), ["p0", "p1", "p2"])(History(("p1", "p1"), (2.0, 1.0)))
    assert scores == pytest.approx([2 / np.sqrt(6), 1, 0])


def test_baselines_answer_every_user_with_products_beside_their_own(prepare):
    dataset = prepare()
    task = purchase_task(dataset)
    ids = tables.read_catalogue(dataset).ids
    for system in purchases.purchase_baselines(dataset, ids, _embed(ids)).values():
        run = system(task.asked)
        assert list(run) == list(task.asked)
        assert all(set(scores) <= set(ids) for scores in run.values())


def test_a_candidate_without_a_word_of_the_query_gains_nothing_from_the_words(prepare):
    """A place for a score of 0 would be one by the catalogue's order: p0 is the first of eight such."""
    catalogue = tables.read_catalogue(prepare())
    asked = {"q": Asked("lamp", ("p0", "p1", "p2"))}
    baselines = search.search_baselines(catalogue, _embed, _embed(catalogue.titles))
    run, near = baselines["bm25+base encoder"](asked)["q"], ranking("q", baselines["base encoder"](asked)["q"])
    assert run["p0"] == pytest.approx(1 / (61 + near.index("p0")))
    assert run["p2"] == pytest.approx(1 / 61 + 1 / (61 + near.index("p2")))


def test_in_the_fusion_for_a_user_each_speaks_of_what_it_knows_alone(prepare):
    ids = tables.read_catalogue(dataset := prepare()).ids
    baselines = purchases.purchase_baselines(dataset, ids, np.eye(8))
    asked = {"u": History(("p2", "p5"), (9.2, 5.5))}
    fusion = baselines["own frequency+item-kNN+popularity"](asked)["u"]
    assert "p7" not in fusion, "nobody bought it"
    orders = [[p for p in ranking("u", run) if run[p] > 0] for name in ("item-kNN", "popularity")
              for run in [baselines[name](asked)["u"]]]  # fmt: skip
    for product in fusion.keys() - {"p2", "p5"}:
        assert fusion[product] == pytest.approx(sum(1 / (61 + o.index(product)) for o in orders if product in o))


@given(st.lists(st.permutations("abcde"), min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_fusion_adds_one_over_sixty_and_the_place(orders):
    runs = [{"q": {product: -float(place) for place, product in enumerate(order)}} for order in orders]
    found = fused([lambda asked, run=run: run for run in runs])({"q": Asked("q")})["q"]
    for product in "abcde":
        assert found[product] == pytest.approx(sum(1 / (61 + order.index(product)) for order in orders))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 25))
@settings(max_examples=100, deadline=None)
def test_the_top_is_the_front_of_a_stable_order(values, count):
    scores = np.array(values, dtype=float)
    assert tables.top(scores, count).tolist() == np.argsort(-scores, kind="stable")[:count].tolist()


def test_the_search_tasks_are_answered_within_their_candidates(prepare):
    dataset = prepare()
    catalogue = tables.read_catalogue(dataset)
    task = search_task(dataset, whole_catalogue=False)
    for system in search.search_baselines(catalogue, _embed, _embed(catalogue.titles)).values():
        for query, scores in system(task.asked).items():
            assert set(scores) == set(task.asked[query].candidates)
