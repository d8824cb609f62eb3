"""Probabilities are measured as a release serves them; where it serves none, what its scores could say."""

import numpy as np
import pytest

from model_image.base import find_base
from model_image.layout import CROSS_ENCODER, RANKERS
from model_image.server.backends.dummy import DummyBackend
from model_image.settings import ModelSettings, write_settings
from model_image.signals.calibration import SCHEMA, Calibration
from model_image.signals.ranker import load_ranker
from model_image.training.evaluate import calibration, report
from model_image.training.evaluate.chances import chances
from model_image.training.evaluate.evaluating import evaluate
from model_image.training.evaluate.probabilities import of_probabilities
from model_image.training.evaluate.protocol import Segment, Task
from tests.model_image.training.ranker import shop

SERVED = Calibration(schema=SCHEMA, task="search", event="exact match", slope=3.0, intercept=-1.0, count=99)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return shop.prepare(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture
def release(tmp_path, dataset):
    return shop.release(tmp_path / "release", dataset)


def _task() -> tuple[Task, dict, dict]:
    random = np.random.default_rng(0)
    run = {f"q{at}": {f"p{of}": float(random.normal()) for of in range(8)} for at in range(30)}
    truth = {q: {p: float(score + random.normal() > 0.5) for p, score in scores.items()} for q, scores in run.items()}
    task = Task(
        name="rerank",
        asked={},
        segments=(Segment(name="all", truth=truth),),
        metrics=(),
        catalogue=frozenset(),
    )
    return task, run, {query: at % 5 for at, query in enumerate(run)}


def test_what_a_release_says_is_measured_as_it_says_it():
    task, run, folds = _task()
    found = chances(task, run, folds, event="exact match", served=SERVED)
    units = [query for query, scores in run.items() for _ in scores]
    scores = np.array([score for scores in run.values() for score in scores.values()])
    truth = np.array([int(gain) for gains in task.truth.values() for gain in gains.values()])
    expected = of_probabilities(truth, SERVED.probability(scores), units)
    assert (found.served, found.calibration) == (True, SERVED)
    for metric in ("log_loss", "brier", "ece", "auc"):
        assert found.after[metric].value == pytest.approx(expected[metric].value, abs=1e-12)
    fresh = chances(task, run, folds, event="exact match")
    assert (fresh.served, fresh.calibration.task) == (False, "rerank")
    assert fresh.after["brier"].value < found.after["brier"].value, "it is made for other scores than these"


def test_a_release_is_measured_by_its_own_calibrations_and_its_report_says_so(release, dataset):
    result = evaluate(dataset, release, find_base(), DummyBackend())
    told = {one.question.task.name: one.chances for one in result.answered if one.chances}
    for task, side in (("rerank", "search"), ("recommend", "recommend")):
        assert told[task].calibration == load_ranker(release / RANKERS, side).calibration
    page = report.render(result, "x")
    assert page.count("<th>As served</th>") == 2
    assert "Calibrated here" not in page
    measured = {(m.task, m.metric): m.estimate for m in result.evaluation.measures}
    assert measured["rerank", "ece"] == told["rerank"].after["ece"]


def test_a_cross_encoder_takes_the_probabilities_of_searches_away(release):
    assert calibration.served(release, "search") is not None
    (release / CROSS_ENCODER).mkdir()
    write_settings(release / CROSS_ENCODER, ModelSettings(head="rank", max_tokens=64))
    assert calibration.served(release, "search") is None
    assert calibration.served(release, "recommend") is not None


def test_a_release_without_rankers_says_none(make_release):
    assert calibration.served(make_release("red shoe"), "search") is None
