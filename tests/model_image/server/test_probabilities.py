"""Answers say how probable it is that a product is right where the release knows, and nothing where it does not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from model_image import artefact
from model_image.layout import CROSS_ENCODER, RANKERS
from model_image.registry import Registry
from model_image.settings import ModelSettings, write_settings
from model_image.signals.ranker import load_ranker, save_ranker
from tests.model_image.server.conftest import Server
from tests.model_image.training.ranker import shop

HISTORY = [{"id": "p3", "age_days": 40}, {"id": "p7", "age_days": 1}]
QUESTIONS = {"search": {"query": "blue chair", "k": 9}, "recommend": {"history": HISTORY, "k": 9}}

Change = Callable[[Path], object]
Promote = Callable[[Change], Server]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dataset = shop.prepare(tmp_path_factory.mktemp("data") / "prepared")
    return shop.release(tmp_path_factory.mktemp("calibrated") / "release", dataset)


@pytest.fixture
def promote(server: Server, folder_registry: Registry, release: Path, tmp_path: Path) -> Promote:
    """Serve a copy of the release that was changed before it was sealed."""

    def promoted(change: Change) -> Server:
        copy = tmp_path / "copy"
        shutil.copytree(release, copy)
        change(copy)
        artefact.seal(copy, model="search", base_model="dummy", data_revision="test", code_revision="test")
        server.promote(folder_registry, copy)
        return server

    return promoted


def _results(server: Server, task: str, **more: object) -> list[dict]:
    found: list[dict] = server.http.post(f"/v1/{task}", json={**QUESTIONS[task], **more}).json()["results"]
    assert len(found) == 9
    return found


@pytest.mark.parametrize("task", list(QUESTIONS))
def test_a_score_is_served_with_the_probability_that_was_fitted_bit_for_bit(
    server: Server, folder_registry: Registry, release: Path, task: str
) -> None:
    server.promote(folder_registry, release)
    fitted = load_ranker(release / RANKERS, task).calibration
    assert fitted is not None
    results = _results(server, task)
    scores = [product["score"] for product in results]
    assert len(set(scores)) > 1
    assert [product["probability"] for product in results] == fitted.probability(scores).tolist()


def test_given_candidates_have_the_probabilities_that_they_have_among_all(
    server: Server, folder_registry: Registry, release: Path
) -> None:
    server.promote(folder_registry, release)
    among_all = {product["id"]: product["probability"] for product in _results(server, "recommend")}
    given = _results(server, "recommend", candidates=list(among_all))
    assert {product["id"]: product["probability"] for product in given} == among_all


def test_a_cosine_has_no_probability(server: Server, folder_registry: Registry, release: Path) -> None:
    server.promote(folder_registry, release)
    near = server.http.post("/v1/similar", json={"id": "p3"}).json()["results"]
    assert near
    assert not any("probability" in product for product in near)


def _without(folder: Path) -> None:
    for task in QUESTIONS:
        save_ranker(folder / RANKERS, task, (folder / RANKERS / f"{task}.txt").read_text())


@pytest.mark.parametrize("task", list(QUESTIONS))
def test_a_ranker_that_was_never_calibrated_answers_as_before(promote: Promote, release: Path, task: str) -> None:
    server = promote(_without)
    assert not any("probability" in product for product in _results(server, task))


def _with_cross_encoder(folder: Path) -> None:
    (folder / CROSS_ENCODER).mkdir()
    write_settings(folder / CROSS_ENCODER, ModelSettings(head="rank", max_tokens=64))


def test_the_order_of_a_cross_encoder_has_no_probability_and_the_ranker_s_beside_it_has(promote: Promote) -> None:
    server = promote(_with_cross_encoder)
    assert not any("probability" in product for product in _results(server, "search"))
    assert all("probability" in product for product in _results(server, "search", rerank=False))
    assert all("probability" in product for product in _results(server, "recommend"))


def _turned(folder: Path) -> None:
    path = folder / RANKERS / "search.json"
    path.write_text(path.read_text().replace('"slope":', '"slope":-'))


def test_a_release_whose_probabilities_turn_its_order_round_is_refused_and_the_one_before_stays(
    promote: Promote, server: Server, folder_registry: Registry, release: Path
) -> None:
    before = server.promote(folder_registry, release)
    state = promote(_turned).http.get("/readyz").json()
    assert (state["release"], bool(state["refused"])) == (before, True)
    assert all(product["probability"] > 0 for product in _results(server, "search"))
