"""Releases with rankers at the edges: nothing left to rank, ids alone, many threads; and words without a ranker."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from model_image.catalogue import Product
from model_image.embed import embed_texts
from model_image.index import read_index
from model_image.layout import ENCODER
from model_image.registry import Registry
from model_image.server.backends.dummy import DummyBackend
from model_image.signals.ranking import Bought, Ranking, load_ranking
from model_image.training.dataset import Dataset
from model_image.training.ranker.build import write_signals
from tests.model_image.server.conftest import Server
from tests.model_image.training.ranker import shop

EVERYTHING = [f"p{row}" for row in range(30)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return shop.prepare(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture
def release(make_release, dataset: Dataset) -> Path:
    """With both rankers, for the dummy backend."""

    def learn(folder: Path) -> None:
        embed = partial(embed_texts, DummyBackend().load(folder / ENCODER))
        write_signals(folder, shop.products(), dataset, embed=embed, grid=shop.GRID, say=lambda _: None)

    return make_release(*(product.title for product in shop.products()), break_it=learn)


@pytest.fixture
def ranking(release: Path) -> Ranking:
    found = load_ranking(release, read_index(release))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "asked",
    [
        {"history": ["p3"], "candidates": ["p3"]},
        {"history": [{"id": "p3", "age_days": 1}], "candidates": ["p3", "nothing"]},
        {"history": EVERYTHING},
    ],
)
def test_where_the_history_leaves_nothing_to_recommend_nothing_is(
    server: Server, folder_registry: Registry, release: Path, asked: dict
) -> None:
    server.promote(folder_registry, release)
    answered = server.http.post("/v1/recommend", json=asked)
    assert (answered.status_code, answered.json()["results"]) == (200, [])
    own = server.http.post("/v1/recommend", json={**asked, "include_history": True})
    assert own.json()["results"]


def test_given_candidates_are_all_ranked_and_nothing_else(
    server: Server, folder_registry: Registry, release: Path
) -> None:
    server.promote(folder_registry, release)
    asked = {"history": ["p3", "p7"], "candidates": ["p9", "p20", "p1", "p3", "nothing"], "k": 10}
    answered = server.http.post("/v1/recommend", json=asked).json()
    assert {product["id"] for product in answered["results"]} == {"p9", "p20", "p1"}
    assert answered["unknown"] == 1


def test_no_rows_are_ordered_to_none(ranking: Ranking) -> None:
    assert ranking.order_for([Bought(0)], []) == []
    assert ranking.order("lamp", np.ones(64, dtype=np.float32) / 8, []) == []


def test_what_leaves_the_history_out_is_the_order_with_it_without_its_products(ranking: Ranking) -> None:
    """Training and evaluation rank with it: the same products must be candidates beside it, with the same scores."""
    history = [Bought(3, age_days=9.0), Bought(7, age_days=2.5), Bought(11, age_days=2.5)]
    own = ranking.recommend(history, 100, own=True)
    assert ranking.recommend(history, 100, own=False) == [pair for pair in own if pair[0] not in (3, 7, 11)]


def test_events_of_one_day_are_one_purchase_and_ids_alone_are_answered(ranking: Ranking) -> None:
    once = [Bought(7, age_days=12.0), Bought(3, age_days=2.0)]
    often = [Bought(7, age_days=11.7), Bought(7, age_days=11.3), Bought(3, age_days=1.2)]
    assert ranking.recommend(often, 30, own=True) == ranking.recommend(once, 30, own=True)
    plain = ranking.recommend([Bought(7), Bought(3)], 30, own=True)
    assert len(plain) == 30
    assert plain == ranking.recommend([Bought(7), Bought(3, age_days=1.0)], 30, own=True), "one age is none"


def test_several_threads_get_what_one_gets(ranking: Ranking) -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def answer(at: int) -> tuple:
        history = [Bought(at % 30, age_days=5.0), Bought(at % 7, age_days=1.0)]
        found = ranking.search(shop.products()[at % 30].title, vectors[at], 20)
        return found, ranking.recommend(history, 20, own=at % 2 == 0)

    expected = [answer(at) for at in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(answer, range(40))) == expected


TITLES = ("red shoe", "blue shoe", "台灯 红色", "手机壳", "steel kettle", "T-800 robot")


@pytest.fixture
def worded(make_release) -> Path:
    """From the first day: no judgments, no purchases."""

    def write(folder: Path) -> None:
        products = [Product(product_id=f"p{at}", title=title) for at, title in enumerate(TITLES)]
        assert write_signals(folder, products, None) == ["lexical"]

    return make_release(*TITLES, break_it=write)


@pytest.mark.parametrize(("query", "best"), [("t800", "p5"), ("手机", "p3"), ("台灯", "p2"), ("kettles", "p4")])
def test_without_a_ranker_words_and_vectors_are_fused(
    server: Server, folder_registry: Registry, worded: Path, query: str, best: str
) -> None:
    server.promote(folder_registry, worded)
    results = server.http.post("/v1/search", json={"query": query, "k": 6}).json()["results"]
    assert results[0]["id"] == best
    assert len(results) == len(TITLES)
    vector = embed_texts(DummyBackend().load(worded / ENCODER), [query])[0]
    near = [row for row, _ in read_index(worded).search(vector, 6)]
    scores = {product["id"]: product["score"] for product in results}
    assert scores[best] == pytest.approx(1 / 61 + 1 / (61 + near.index(int(best[1:]))))
    others = [at for at in range(6) if f"p{at}" != best]
    for at in others:
        assert scores[f"p{at}"] == pytest.approx(1 / (61 + near.index(at)))


def test_without_a_ranker_users_are_answered_by_vectors_as_before(
    server: Server, folder_registry: Registry, worded: Path
) -> None:
    found = load_ranking(worded, read_index(worded))
    assert found is not None
    assert (found.tasks, found.learnt) == ({"search"}, frozenset())
    server.promote(folder_registry, worded)
    assert server.http.post("/v1/recommend", json={"history": ["p0"]}).status_code == 200
