"""A score has one probability, whoever asks for it and with how many others."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model_image.server.web import schema_items
from model_image.signals.calibration import EVENTS, SCHEMA, Calibration
from model_image.signals.features import FEATURES
from model_image.training.evaluate.purchase_task import HORIZON_DAYS
from model_image.training.ranker.purchasing import HORIZON

scores = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40)


def calibration(slope: float = 0.7, intercept: float = -2.3) -> Calibration:
    return Calibration(
        schema=SCHEMA, task="search", event=EVENTS["search"], slope=slope, intercept=intercept, count=100
    )


@given(scores, st.floats(1e-3, 1e3), st.floats(-50, 50))
@settings(max_examples=100, deadline=None)
def test_a_score_alone_and_among_others_has_the_same_probability_bit_for_bit(
    asked: list[float], slope: float, intercept: float
) -> None:
    one = calibration(slope, intercept)
    together = one.probability(np.array(asked, dtype=np.float32))
    assert together.tolist() == [one.probability([score]).item() for score in asked]
    assert ((together >= 0) & (together <= 1)).all()
    assert (np.diff(one.probability(sorted(asked))) >= 0).all()


def test_nothing_asked_is_nothing_said() -> None:
    assert calibration().probability([]).shape == (0,)


def test_each_ranker_has_an_event_and_the_api_tells_it() -> None:
    assert EVENTS.keys() == FEATURES.keys()
    assert "exact match for the query" in " ".join((schema_items.SearchAnswer.__doc__ or "").split())
    assert HORIZON == HORIZON_DAYS
    told = " ".join((schema_items.RecommendAnswer.__doc__ or "").split())
    assert f"next basket, the first day with purchases, where one comes within {HORIZON} days" in told
