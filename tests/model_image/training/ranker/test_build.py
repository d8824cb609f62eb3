from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from model_image.index import read_index, write_index
from model_image.layout import BEHAVIOUR, LEXICAL, RANKERS
from model_image.signals.behaviour import load_behaviour
from model_image.signals.candidates import NEAREST, SEARCH_EACH, recommend_candidates, search_candidates
from model_image.signals.features import recommend_features, search_features
from model_image.signals.history import past
from model_image.signals.lexical_build import build_lexical, load_lexical
from model_image.signals.query import read_query
from model_image.signals.ranker import load_ranker
from model_image.signals.search import FEEDBACK
from model_image.signals.taste import recency, taste
from model_image.training.data.splits import unseen
from model_image.training.dataset import Dataset
from model_image.training.ranker import fitting, purchasing, searching
from model_image.training.ranker.build import write_signals
from model_image.training.ranker.tables import read_bought, read_catalogue, read_graded
from tests.model_image.training.ranker import shop


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return shop.prepare(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Path:
    folder = tmp_path_factory.mktemp("release")
    write_index(folder, shop.vectors())
    written = write_signals(folder, shop.products(), dataset, embed=shop.embed, grid=shop.GRID, say=lambda _: None)
    assert written == [LEXICAL, f"{RANKERS}/search.txt", BEHAVIOUR, f"{RANKERS}/recommend.txt"]
    return folder


def test_search_features_of_training_and_service_are_the_same_bits(release: Path, dataset: Dataset) -> None:
    catalogue = read_catalogue(dataset)
    index, lexical = read_index(release), load_lexical(release / LEXICAL, rows=len(catalogue))
    queries = read_graded(dataset, {product.product_id: row for row, product in enumerate(catalogue)})
    learnt = searching.SearchShop(build_lexical(catalogue), shop.vectors())
    for query in queries:
        vector = shop.embed([query.text])[0]
        trained = searching.candidate_group(learnt, query, vector)
        asked = read_query(query.text)
        nearest = np.array([row for row, _ in index.search(vector, SEARCH_EACH)])
        rows = search_candidates(nearest, lexical.search(asked.wanted, SEARCH_EACH)[0])
        near = index.vectors(nearest[:FEEDBACK])
        served = search_features(asked, rows, lexical, vector=vector, vectors=index.vectors(rows), near=near)
        assert (rows == trained.rows).all()
        assert served.tobytes() == trained.features.tobytes()


def test_recommend_features_of_training_and_service_are_the_same_bits(release: Path, dataset: Dataset) -> None:
    catalogue = read_catalogue(dataset)
    index, behaviour = read_index(release), load_behaviour(release / BEHAVIOUR, rows=len(catalogue))
    bought = read_bought(dataset, {product.product_id: row for row, product in enumerate(catalogue)})
    asked = purchasing.baskets(bought.entries, bought.cut)
    assert len(asked) > 20
    for basket in asked:
        trained = purchasing.request(basket, behaviour, shop.vectors())
        ages = basket.ages.tolist()
        known = past(basket.rows.tolist(), [1.0] * len(ages), ages)
        mean = taste(index.vectors(basket.rows), recency(ages))
        rows = recommend_candidates(known, behaviour, np.array([row for row, _ in index.search(mean, NEAREST)]))
        served = recommend_features(
            known, rows, behaviour, taste=mean, vectors=index.vectors(rows), own=index.vectors(known.rows)
        )
        assert (rows == trained.rows).all()
        assert served.tobytes() == trained.features.tobytes()


def test_the_rankers_of_a_release_put_the_right_first(release: Path, dataset: Dataset) -> None:
    lexical = load_lexical(release / LEXICAL, rows=30)
    ranker, index = load_ranker(release / RANKERS, "search"), read_index(release)
    vector = shop.embed(["red hat"])[0]
    near = index.vectors([row for row, _ in index.search(vector, FEEDBACK)])
    rows = np.arange(30)
    features = search_features(
        read_query("red hat"), rows, lexical, vector=vector, vectors=index.vectors(rows), near=near
    )
    assert shop.products()[int(ranker.predict(features).argmax())].title == "red hat"
    assert load_ranker(release / RANKERS, "recommend").bytes > 0


def test_users_held_back_and_days_after_the_cut_teach_nothing(release: Path, dataset: Dataset) -> None:
    catalogue = read_catalogue(dataset)
    bought = read_bought(dataset, {product.product_id: row for row, product in enumerate(catalogue)})
    held = np.array([unseen(user, 20) for user in bought.users])
    assert held.any()
    taught = bought.entries.where((bought.entries.day < bought.cut) & ~held[bought.entries.user])
    age = bought.cut - taught.day
    expected = np.bincount(taught.row, np.exp2(-age / 30), len(catalogue))
    assert len(taught.day) < len(bought.entries.day)
    np.testing.assert_allclose(load_file(release / BEHAVIOUR)["popularity"][:, 1], expected, rtol=1e-5)


def test_without_data_the_words_alone_are_written(tmp_path: Path) -> None:
    write_index(tmp_path, shop.vectors())
    assert write_signals(tmp_path, shop.products(), None) == [LEXICAL]


def test_a_young_shop_has_no_rankers_and_is_told_why(tmp_path: Path) -> None:
    dataset = shop.prepare(tmp_path / "prepared", days=(150, 240), queries=9)
    write_index(tmp_path, shop.vectors())
    said: list[str] = []
    assert write_signals(tmp_path, shop.products(), dataset, embed=shop.embed, say=said.append) == [LEXICAL]
    assert not (tmp_path / BEHAVIOUR).exists()
    assert "search: no ranker: groups: 9 queries or users, expected 10 at least" in said[0]
    assert "recommend: no ranker: groups: 0 queries or users, expected 10 at least" in said[1]
    assert "30 days before the cut" in said[1]


def test_without_any_purchase_or_query_to_learn_from_there_is_a_release_too(tmp_path: Path) -> None:
    dataset = shop.prepare(tmp_path / "prepared", days=(181, 240), queries=0)
    write_index(tmp_path, shop.vectors())
    assert write_signals(tmp_path, shop.products(), dataset, embed=shop.embed, say=lambda _: None) == [LEXICAL]


def test_products_of_another_index_are_refused(tmp_path: Path) -> None:
    write_index(tmp_path, shop.vectors())
    with pytest.raises(ValueError, match="products: 29, the index has 30"):
        write_signals(tmp_path, shop.products()[1:], None)


def test_a_fit_is_the_same_each_time_and_too_little_is_refused() -> None:
    random = np.random.default_rng(0)
    width = len(fitting.FEATURES["search"])
    groups = [
        fitting.Group(str(at), np.arange(20), random.random((20, width), dtype=np.float32), random.integers(0, 4, 20))
        for at in range(12)
    ]
    grid = shop.GRID
    assert fitting.fit("search", groups, grid=grid)[0] == fitting.fit("search", groups, grid=grid)[0]
    with pytest.raises(ValueError, match="9 queries or users, expected 10"):
        fitting.fit("search", groups[:9])
