"""Releases as systems, the time of their requests, and the vectors they are compared with."""

from functools import partial

import numpy as np
import pytest

from model_image.embed import embed_texts
from model_image.index import read_index
from model_image.layout import ENCODER, RANKERS
from model_image.server.backends.dummy import DummyBackend
from model_image.server.config import Config
from model_image.signals.candidates import RERANKED
from model_image.signals.errors import SignalsError
from model_image.signals.ranking import Bought, load_ranking
from model_image.training.build import refresh
from model_image.training.evaluate.latency import latencies_ms
from model_image.training.evaluate.protocol import Asked, History
from model_image.training.evaluate.releases import systems
from model_image.training.evaluate.vectors import kept_vectors
from model_image.training.ranker.build import write_signals
from tests.model_image.training.ranker import shop

TITLES = ("red shoe", "blue shoe", "green lamp", "红色 台灯", "steel kettle", "wool sock", "oak table", "new teapot")
WRONG = tuple(f"thing {at}" for at in range(8))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return shop.prepare(tmp_path_factory.mktemp("data") / "prepared")


def test_a_cross_encoder_orders_the_nearest_and_the_rest_follows(make_release, dataset):
    release = systems(make_release(*TITLES, *WRONG * 15, cross_encoder=True), DummyBackend(), dataset)
    run = release.search({"q": Asked("blue shoe"), "few": Asked("kettle", ("p4", "p6", "ghost"))})
    scores = sorted(run["q"].values(), reverse=True)
    assert len(scores) == 128
    assert scores[RERANKED - 1] > 0 > scores[RERANKED]
    assert Config.rerank_candidates == RERANKED, "as the server does"
    assert max(run["q"], key=run["q"].__getitem__) == "p1"
    assert run["few"].keys() == {"p4", "p6"}


def test_a_user_without_a_known_product_gets_nothing_and_others_get_theirs(make_release, dataset):
    release = systems(make_release(*TITLES), DummyBackend(), dataset)
    run = release.recommend({"a": History(("gone",), (1.0,)), "b": History(("gone", "p0"), (2.0, 1.0))})
    assert run["a"] == {}
    assert max(run["b"], key=run["b"].__getitem__) == "p0"


@pytest.fixture
def learnt(make_release, dataset):
    """A release with rankers."""

    def learn(folder):
        embed = partial(embed_texts, DummyBackend().load(folder / ENCODER))
        write_signals(folder, shop.products(), dataset, embed=embed, grid=shop.GRID, say=lambda _: None)

    return make_release(*(product.title for product in shop.products()), break_it=learn)


def test_the_rankers_of_a_release_order_what_it_answers(learnt, make_release, dataset):
    titles = [product.title for product in shop.products()]
    ranked = systems(learnt, DummyBackend(), dataset)
    plain = systems(make_release(*titles), DummyBackend(), dataset)
    asked = {"all": Asked("red lamp"), "some": Asked("red lamp", ("p3", "p0", "ghost"))}
    assert ranked.search(asked)["some"].keys() == {"p0", "p3"}
    assert ranked.search(asked)["all"] != plain.search(asked)["all"]
    history = {"u": History(("p0", "p1"), (9.0, 2.0))}
    assert ranked.recommend(history)["u"] != plain.recommend(history)["u"]
    bought = [Bought(0, age_days=9.0), Bought(1, age_days=2.0)]
    expected = load_ranking(learnt, read_index(learnt)).recommend(bought, 300, own=True)
    assert ranked.recommend(history)["u"] == {f"p{row}": score for row, score in expected}


def test_a_release_that_knows_what_came_after_the_cut_is_measured_without_it(learnt, dataset):
    history = {"u": History(("p0", "p1"), (9.0, 2.0))}
    before = systems(learnt, DummyBackend(), dataset).recommend(history)
    refresh(learnt, dataset)
    ranking = load_ranking(learnt, read_index(learnt))
    served = ranking.recommend([Bought(0, age_days=9.0), Bought(1, age_days=2.0)], 300, own=True)
    assert {f"p{row}": score for row, score in served} != before["u"], "else this test shows nothing"
    assert systems(learnt, DummyBackend(), dataset).recommend(history) == before


def test_rankers_that_cannot_be_read_are_refused(make_release, dataset):
    def spoil(folder):
        (folder / RANKERS).mkdir()
        (folder / RANKERS / "unheard.json").write_text("{}")

    with pytest.raises(SignalsError, match="unheard"):
        systems(make_release(*TITLES, break_it=spoil), DummyBackend(), dataset)


def test_every_system_is_asked_the_same_requests_and_takes_turns():
    seen: list[tuple[str, str]] = []

    def system(name):
        return lambda asked: seen.append((name, *asked)) or {}  # type: ignore[func-returns-value]

    found = latencies_ms({"a": system("a"), "b": system("b")}, {"q": Asked("x"), "r": Asked("y")}, requests=4)
    assert found.keys() == {"a", "b"}
    assert seen[2:] == [(n, q) for n, q in zip("abbaabba", "qqrrqqrr", strict=True)]


def test_kept_vectors_are_those_of_the_texts_and_damaged_ones_are_made_again(tmp_path):
    calls = []

    def embed(texts):
        calls.append(list(texts))
        return np.full((len(texts), 2), len(calls), dtype=np.float32)

    first = kept_vectors(embed, ["a", "b"], tmp_path, "dummy")
    assert (kept_vectors(embed, ["a", "b"], tmp_path, "dummy") == first).all()
    assert (kept_vectors(embed, ["b", "a"], tmp_path, "dummy") != first).all()
    assert (kept_vectors(embed, ["a", "b"], tmp_path, "other") != first).all()
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:20])
    assert (kept_vectors(embed, ["a", "b"], tmp_path, "dummy") == 4).all()
