"""A release with learned rankers answers in their order: the one that training computes, by the same calls."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from model_image import artefact
from model_image.embed import embed_texts
from model_image.index import read_index
from model_image.layout import BEHAVIOUR, ENCODER, LEXICAL, RANKERS
from model_image.registry import Registry
from model_image.server.backends.dummy import DummyBackend
from model_image.server.releases.need import Served, need, weights
from model_image.signals.history import past
from model_image.signals.lexical_build import FILE, build_lexical
from model_image.signals.ranking import Bought, Ranking, load_ranking
from model_image.training.dataset import Dataset
from model_image.training.ranker import purchasing, searching
from model_image.training.ranker.tables import read_catalogue
from tests.model_image.server.conftest import Server
from tests.model_image.training.ranker import shop


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return shop.prepare(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Path:
    """Sealed, for the dummy backend."""
    return shop.release(tmp_path_factory.mktemp("ranked") / "release", dataset)


@pytest.fixture
def ranked(server: Server, folder_registry: Registry, release: Path) -> Server:
    server.promote(folder_registry, release)
    return server


@pytest.fixture
def ranking(release: Path) -> Ranking:
    found = load_ranking(release, read_index(release))
    assert found is not None
    return found


def ids(answer: dict) -> list[str]:
    return [product["id"] for product in answer["results"]]


def test_a_search_is_answered_in_the_ranker_s_order(ranked: Server, ranking: Ranking, release: Path) -> None:
    query = "blue chair"
    vector = embed_texts(DummyBackend().load(release / ENCODER), [query])[0]
    expected = [f"p{row}" for row, _ in ranking.search(query, vector, 7)]
    answered = ranked.http.post("/v1/search", json={"query": query, "k": 7}).json()
    assert ids(answered) == expected
    assert answered["reranked"] is False
    nearest = [f"p{row}" for row, _ in read_index(release).search(vector, 7)]
    assert expected != nearest, "else this test shows nothing"


def test_what_is_served_is_what_training_computed_bit_for_bit(
    ranking: Ranking, dataset: Dataset, release: Path
) -> None:
    """The features of both, by what the ranker makes of them."""
    index = read_index(release)
    vectors = index.vectors(list(range(len(index))))
    query = "lamp without red"
    vector = embed_texts(DummyBackend().load(release / ENCODER), [query])[0]
    learnt = searching.SearchShop(build_lexical(read_catalogue(dataset)), vectors)
    graded = searching.Graded("q", query, 0, {})
    group = searching.candidate_group(learnt, graded, vector)
    scores = ranking._rankers["search"].predict(group.features)
    assert dict(ranking.search(query, vector, 1000)) == dict(zip(group.rows.tolist(), scores.tolist(), strict=True))

    assert ranking._behaviour is not None
    history = [Bought(3, 1.0, 40.0), Bought(7, 1.0, 12.0), Bought(3, 1.0, 1.0)]
    rows, _, ages = zip(*history, strict=True)
    basket = purchasing.Basket(0, np.array(rows), np.array(ages), np.array([], dtype=np.int64))
    trained = purchasing.request(basket, ranking._behaviour, vectors)
    scores = ranking._rankers["recommend"].predict(trained.features)
    served = dict(ranking.recommend(history, 1000, own=True))
    assert served == dict(zip(trained.rows.tolist(), scores.tolist(), strict=True))
    assert len(past(rows, [1.0] * 3, ages).rows) == 2


def test_recommendations_leave_out_the_history_unless_it_is_asked_for(ranked: Server) -> None:
    asked = {"history": [{"id": "p3", "age_days": 40}, {"id": "p7", "age_days": 1}, "nothing"], "k": 30}
    without = ranked.http.post("/v1/recommend", json={**asked, "history": asked["history"][:2]}).json()
    assert without["results"]
    assert not {"p3", "p7"} & set(ids(without))
    own = ranked.http.post(
        "/v1/recommend", json={"history": asked["history"][:2], "k": 30, "include_history": True}
    ).json()
    assert {"p3", "p7"} <= set(ids(own))


@pytest.mark.parametrize("part", [f"{LEXICAL}/{FILE}", BEHAVIOUR, f"{RANKERS}/search.txt"])
@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"broken"), Path.unlink], ids=["broken", "missing"])
def test_a_release_with_a_part_spoilt_before_it_was_sealed_is_refused_and_the_one_before_stays(
    serving: Server,
    folder_registry: Registry,
    release: Path,
    tmp_path: Path,
    part: str,
    spoil: Callable[[Path], object],
) -> None:
    before = serving.http.get("/readyz").json()["release"]
    copy = tmp_path / "copy"
    shutil.copytree(release, copy)
    assert (copy / part).is_file()
    spoil(copy / part)
    artefact.seal(copy, model="search", base_model="dummy", data_revision="test", code_revision="test")
    serving.promote(folder_registry, copy)
    state = serving.http.get("/readyz").json()
    assert (state["release"], bool(state["refused"])) == (before, True)
    assert serving.http.post("/v1/search", json={"query": "shoes"}).status_code == 200


def test_the_signals_count_in_the_memory_of_a_release_before_and_after_it_is_loaded(
    ranked: Server, ranking: Ranking, release: Path
) -> None:
    current = ranked.releases.current
    assert current is not None
    assert ranking.bytes > 0
    assert current.memory.host >= ranking.bytes + current.index.bytes
    manifest = artefact.verify(release)
    assert weights(release).numbers == 0, "tables are no weights"
    signals = [name for name in manifest.files if name.startswith((f"{LEXICAL}/", f"{RANKERS}/", BEHAVIOUR))]
    assert len(signals) >= 6
    without = structs.replace(manifest, files={k: v for k, v in manifest.files.items() if k not in signals})
    added = need(release, manifest, Served()).host - need(release, without, Served()).host
    assert added == sum((release / name).stat().st_size for name in signals)
