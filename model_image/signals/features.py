"""The features that rankers read, by task, and the version of the code that computes them."""

from model_image.signals.recommend import RECOMMEND_FEATURES, recommend_features
from model_image.signals.search import SEARCH_FEATURES, search_features

VERSION = 1
"""Raised when a feature of the same name comes to mean something else: rankers of another version are refused."""

FEATURES = {"search": SEARCH_FEATURES, "recommend": RECOMMEND_FEATURES}

__all__ = ["FEATURES", "RECOMMEND_FEATURES", "SEARCH_FEATURES", "VERSION", "recommend_features", "search_features"]
