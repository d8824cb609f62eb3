"""The HTTP surface: decode, ask the release through `Answers`, encode. No model code and no storage code here."""

import base64
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import numpy as np
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from model_image.server.answers import Answers, Item
from model_image.server.config import Config
from model_image.server.errors import Kind, ServingError
from model_image.server.metrics import Metrics
from model_image.server.releases.release import Release
from model_image.server.scheduling.scheduler import Scheduler
from model_image.server.web import incoming, schema
from model_image.server.web import schema_items as items
from model_image.server.web import schema_texts as texts
from model_image.server.web.operations import OPERATIONS
from model_image.server.web.responses import json_response

Handler = Callable[[Any, Answers, dict[str, str]], Coroutine[Any, Any, Any]]
"""From a decoded request to what is encoded; the last argument is who answers, as the fields of `Signed`."""


class Routes:
    """The handlers of what customers ask, and what they share."""

    def __init__(self, *, config: Config, scheduler: Scheduler, metrics: Metrics) -> None:
        self._config = config
        self._scheduler = scheduler
        self._metrics = metrics
        self._bodies = incoming.Bodies()
        metrics.body_bytes.set_function(lambda: self._bodies.bytes)
        self._signed = {"site": config.site, "slot": config.slot, "model": config.model}

    def table(self) -> list[Route]:
        """All POST routes."""
        handlers: dict[str, Handler] = {
            "/v1/search": self.search,
            "/v1/recommend": self.recommend,
            "/v1/similar": self.similar,
            "/v1/classify": self.classify,
            "/v1/predict": self.predict,
            "/v1/embeddings": self.embeddings,
            "/rerank": self.rerank,  # text-embeddings-inference
            "/v1/rerank": self.rerank,  # Jina, and Cohere's first version
            "/v2/rerank": self.rerank,  # Cohere
        }
        asks = {one.path: one.asks for one in OPERATIONS if one.asks}
        return [Route(path, self._posted(kind, handlers[path]), methods=["POST"]) for path, kind in asks.items()]

    def _posted(self, kind: type[Struct], handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            asked = incoming.asked(request, self._config.timeout_seconds)
            release = _release(request)
            self._scheduler.check(asked)  # before anything is spent on what would be refused
            async with self._bodies.read(request) as content:
                self._scheduler.check(asked)  # it may have taken seconds to arrive
                request_body = schema.decode(content, kind)
                answers = Answers(release, self._scheduler, asked)
                work = handler(request_body, answers, self._signed | {"release": release.digest})
                answer = await incoming.while_wanted(request.receive, asked.deadline, work)
            self._metrics.tokens.inc(answers.tokens)
            if isinstance(answer, texts.ClassifyAnswer):
                best = (row[0].label for row in answer.results)
                self._metrics.classified.count(request.state.channel, release.digest, answer.task, best)
            return json_response(answer)

        return endpoint

    async def search(self, asked: items.SearchRequest, answers: Answers, signed: dict[str, str]) -> Any:
        """POST /v1/search"""
        candidates = self._config.rerank_candidates
        results, reranked = await answers.search(asked.query, asked.k, rerank=asked.rerank, candidates=candidates)
        return items.SearchAnswer(query=asked.query, results=results, reranked=reranked, **signed)

    async def recommend(self, asked: items.RecommendRequest, answers: Answers, signed: dict[str, str]) -> Any:
        """POST /v1/recommend"""
        history = [
            Item(one) if isinstance(one, str) else Item(one.id, one.weight, one.age_days) for one in asked.history
        ]
        results, unknown = await answers.recommend(
            history, asked.k, candidates=asked.candidates, include_history=asked.include_history
        )
        return items.RecommendAnswer(results=results, unknown=unknown, **signed)

    async def similar(self, asked: items.SimilarRequest, answers: Answers, signed: dict[str, str]) -> Any:
        """POST /v1/similar"""
        return items.SimilarAnswer(id=asked.id, results=await answers.similar(asked.id, asked.k), **signed)

    async def classify(self, asked: texts.TaskRequest, answers: Answers, signed: dict[str, str]) -> Any:
        """POST /v1/classify"""
        rows = await answers.classify(asked.task, asked.texts)
        results = [[texts.Label(label=label, score=score) for label, score in row] for row in rows]
        return texts.ClassifyAnswer(task=asked.task, results=results, **signed)

    async def predict(self, asked: texts.TaskRequest, answers: Answers, signed: dict[str, str]) -> Any:
        """POST /v1/predict"""
        values = await answers.predict(asked.task, asked.texts)
        return texts.PredictAnswer(task=asked.task, values=values, **signed)

    async def embeddings(self, asked: texts.EmbeddingsRequest, answers: Answers, signed: dict[str, str]) -> Any:
        """POST /v1/embeddings"""
        if asked.dimensions not in (None, answers.dimension):
            raise ServingError(Kind.INVALID_REQUEST, f"dimensions: expected {answers.dimension}, the encoder's own")
        vectors = await answers.embed([asked.input] if isinstance(asked.input, str) else asked.input)
        encode = _base64 if asked.encoding_format == "base64" else _numbers
        data = [texts.Embedding(index=at, embedding=encode(vector)) for at, vector in enumerate(vectors)]
        return texts.EmbeddingsAnswer(data=data, model=self._config.model, usage=_usage(answers))

    async def rerank(self, asked: texts.RerankRequest, answers: Answers, signed: dict[str, str]) -> Any:
        """POST /rerank, /v1/rerank, /v2/rerank: the answer has the shape that the request has."""
        if (asked.texts is None) == (asked.documents is None):
            raise ServingError(Kind.INVALID_REQUEST, "expected one of `texts` and `documents`")
        given = asked.texts or [one if isinstance(one, str) else one.text for one in asked.documents or ()]
        ranked = (await answers.rerank(asked.query, given, raw=asked.raw_scores))[: asked.top_n]
        shown = asked.return_text or asked.return_documents
        if asked.texts is not None:
            return [texts.RankedText(index=at, score=score, text=given[at] if shown else None) for at, score in ranked]
        results = [
            texts.RankedDocument(
                index=at, relevance_score=score, document=texts.Document(text=given[at]) if shown else None
            )
            for at, score in ranked
        ]
        return texts.RerankAnswer(model=self._config.model, results=results, usage=_usage(answers))


def _release(request: Request) -> Release:
    release: Release | None = request.state.release
    if release is None:
        raise ServingError(Kind.NOT_READY, "no release is loaded yet; /readyz tells when", retry_after=5)
    return release


def _usage(answers: Answers) -> texts.Usage:
    return texts.Usage(prompt_tokens=answers.tokens, total_tokens=answers.tokens)


def _numbers(vector: np.ndarray) -> list[float]:
    numbers: list[float] = vector.tolist()
    return numbers


def _base64(vector: np.ndarray) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
