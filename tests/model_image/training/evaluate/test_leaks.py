"""A release is not guarded by, nor silently measured on, what it learnt from."""

from functools import partial

import msgspec
import pytest

from model_image.base import find_base
from model_image.embed import embed_texts
from model_image.layout import ENCODER
from model_image.server.backends.dummy import DummyBackend
from model_image.training.dataset import PREPARED, Dataset
from model_image.training.evaluate import report
from model_image.training.evaluate.evaluating import evaluate
from model_image.training.evaluate.questions import Settings
from model_image.training.ranker.build import write_signals
from tests.model_image.training.ranker import shop


@pytest.fixture
def dataset(tmp_path):
    """Of a shop, as prepared with --hold-fold or without."""

    def make(hold_fold):
        made = shop.prepare(tmp_path / f"shop-{hold_fold}")
        held = msgspec.structs.replace(made.prepared, hold_fold=hold_fold)
        (made.folder / PREPARED).write_bytes(msgspec.json.encode(held))
        return Dataset(made.folder)

    return make


def _release(make_release, dataset, learnt=True):
    def learn(folder):
        embed = partial(embed_texts, DummyBackend().load(folder / ENCODER))
        write_signals(folder, shop.products(), dataset, embed=embed, grid=shop.GRID, say=lambda _: None)

    return make_release(*(one.title for one in shop.products()), break_it=learn if learnt else None)


def _guarded(result):
    return {measure.task for measure in result.evaluation.measures if measure.guarded}


def _measure(dataset, release, **settings):
    said: list[str] = []
    found = evaluate(dataset, release, find_base(), DummyBackend(), settings=Settings(**settings), say=said.append)
    return found, [text for text in said if text.startswith("caution")]


def _queries(result):
    return len(next(one.question.task for one in result.answered if one.question.task.name == "search").truth)


def test_the_fold_held_out_is_what_is_asked_by_default(make_release, dataset):
    data = dataset(2)
    found, said = _measure(data, _release(make_release, data))
    assert (_queries(found), said) == (6, [])


def test_a_ranker_asked_what_it_learnt_is_told_and_its_search_guards_nothing(make_release, dataset):
    data = dataset(None)
    found, said = _measure(data, _release(make_release, data))
    assert _queries(found) == 30
    assert "--hold-fold" in said[0]
    assert _guarded(found) == {"recommend"}
    assert "may have learnt from what it is asked" in report.render(found, "x")
    plain, said = _measure(data, _release(make_release, data, learnt=False))
    assert (_guarded(plain), said) == ({"search", "recommend"}, [])


def test_another_fold_than_the_one_held_out_is_told_too(make_release, dataset):
    data = dataset(2)
    found, said = _measure(data, _release(make_release, data), fold=1)
    assert "measured on fold 1, held out was fold 2" in said[0]
    assert _guarded(found) == {"recommend"}


def test_the_scores_of_one_fold_become_probabilities_all_the_same(make_release, dataset):
    """Calibration is checked on queries drawn by their names, not on the folds of which one alone is asked."""
    data = dataset(2)
    found, _ = _measure(data, _release(make_release, data))
    rerank = next(one for one in found.answered if one.question.task.name == "rerank")
    assert len(set(rerank.question.folds.values())) > 1
    assert "one fold" not in rerank.no_chances
