"""A release with every part, for the dummy backend, and what asks one of every kind of question of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

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


def together(server: Any, scenario: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """The result of `scenario`, whose requests run in one event loop."""

    async def run() -> Any:
        transport = httpx.ASGITransport(app=server.http.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.wait_for(scenario(client), 20)

    return asyncio.run(run())
