"""The rules to beat are as strong as they are told: nothing has a place that a rule knows nothing of."""

import numpy as np
import pytest

from model_image.signals.lexical_build import build_lexical
from model_image.training.ranker import purchasing, searching
from model_image.training.ranker.behaviour import Purchases, learn_behaviour
from tests.model_image.training.ranker import shop


def test_a_score_of_nothing_has_no_place_in_a_fusion() -> None:
    found = searching.fused(np.array([0.0, 2.0, 0.0]), np.array([1.0, 3.0, 2.0]))
    assert found == pytest.approx([1 / 63, 2 / 61, 1 / 62])


def test_the_fusion_of_a_query_gives_a_product_without_its_words_the_place_by_vector_alone() -> None:
    asked = searching.SearchShop(build_lexical(shop.products()), shop.vectors())
    graded = searching.Graded("q", "red lamp", 0, {})
    vector = shop.embed(["red lamp"])[0]
    rules = searching.rules(asked, graded, vector, np.arange(30))
    without = np.flatnonzero(rules["bm25"] == 0)
    place = np.argsort(np.argsort(-rules["encoder"], kind="stable"))
    assert len(without) > 10
    np.testing.assert_allclose(rules["fusion"][without], 1 / (61 + place[without]))


def test_the_fusion_of_a_user_counts_sales_once() -> None:
    purchases = Purchases(user=np.array([0, 0, 1]), row=np.array([0, 1, 2]), day=np.array([5, 5, 6]))
    behaviour = learn_behaviour(purchases, rows=4, end=10)
    basket = purchasing.Basket(0, np.array([0]), np.array([5.0]), np.array([], dtype=np.int64))
    rules = purchasing.rules(basket, behaviour, np.array([0.0, 0.0, 3.0, 0.0]))
    # 0 is the user's own and alike itself, 1 alike 0, 2 sold this month, 3 nothing.
    np.testing.assert_allclose(rules["fusion"], [2 / 61, 1 / 62, 1 / 61, 0])
