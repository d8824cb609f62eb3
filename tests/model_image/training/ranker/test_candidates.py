"""Of a catalogue larger than what is drawn of it, training and service draw the same, with the history or without."""

from pathlib import Path

import lightgbm
import numpy as np

from model_image.index import VectorIndex
from model_image.signals.behaviour import nobody
from model_image.signals.candidates import NEAREST
from model_image.signals.features import RECOMMEND_FEATURES
from model_image.signals.ranker import load_ranker, save_ranker
from model_image.signals.ranking import Bought, Ranking
from model_image.training.ranker import purchasing

ROWS = 300


def _trees() -> str:
    features = np.random.default_rng(0).random((200, len(RECOMMEND_FEATURES)))
    data = lightgbm.Dataset(features, (features[:, 0] > 0.5).astype(int), group=[20] * 10)
    parameters = {"objective": "lambdarank", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
    text: str = lightgbm.train(parameters, data, 5).model_to_string()
    return text


def test_the_nearest_are_drawn_beside_the_history_in_training_and_in_service_alike(tmp_path: Path) -> None:
    save_ranker(tmp_path, "recommend", _trees())
    random = np.random.default_rng(1).normal(size=(ROWS, 8)).astype(np.float32)
    vectors = (random / np.linalg.norm(random, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    rankers = {"recommend": load_ranker(tmp_path, "recommend")}
    ranking = Ranking(VectorIndex(vectors), None, nobody(ROWS), rankers)
    history = [Bought(row, age_days=age) for row, age in ((5, 9.0), (9, 9.0), (2, 3.0))]
    own = {row for row, _ in ranking.recommend(history, ROWS, own=True)}
    others = {row for row, _ in ranking.recommend(history, ROWS, own=False)}
    assert len(others) == NEAREST
    assert own == others | {2, 5, 9}
    nothing = np.array([], dtype=np.int64)
    basket = purchasing.Basket(0, np.array([5, 9, 2]), np.array([9.0, 9.0, 3.0]), nothing)
    assert set(purchasing.request(basket, nobody(ROWS), vectors).rows.tolist()) == own
