"""A release with every part, for the dummy backend, and what asks one of every kind of question of it."""

from typing import Any

from model_image.settings import ModelSettings

TITLES = ("red running shoes", "blue kettle", "green garden hose")

PARTS: dict[str, Any] = {
    "cross_encoder": True,
    "tasks": {
        "department": ModelSettings(head="classify", max_tokens=2048, labels=("shoes", "kitchen", "garden")),
        "price": ModelSettings(head="regress", max_tokens=32),
    },
}
"""What `make_release` takes beside titles."""

QUESTIONS: dict[str, dict[str, Any]] = {
    "/v1/search": {"query": "red shoes"},
    "/v1/recommend": {"history": ["p0"]},
    "/v1/similar": {"id": "p0"},
    "/v1/classify": {"task": "department", "texts": ["shoes"]},
    "/v1/predict": {"task": "price", "texts": ["shoes"]},
    "/v1/embeddings": {"input": "red shoes"},
    "/rerank": {"query": "red shoes", "texts": ["red shoes"]},
    "/v1/rerank": {"query": "red shoes", "documents": ["red shoes"]},
    "/v2/rerank": {"query": "red shoes", "documents": ["red shoes"]},
}
