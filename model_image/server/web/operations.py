"""Every route as the OpenAPI document tells it: what it asks for and answers."""

from model_image.server.errors import Kind
from model_image.server.web import schema_items as items
from model_image.server.web import schema_texts as texts
from model_image.server.web.openapi import Operation
from model_image.server.web.schema_status import LiveAnswer, ReadyAnswer

_RERANKED = {200: list[texts.RankedText] | texts.RerankAnswer}
_TASK = (Kind.NOT_FOUND, Kind.UNSUPPORTED)

OPERATIONS = (
    Operation("/v1/search", "the best products for a query", {200: items.SearchAnswer}, items.SearchRequest),
    Operation("/v1/recommend", "products after a user's history", {200: items.RecommendAnswer}, items.RecommendRequest),
    Operation(
        "/v1/similar", "products near a product", {200: items.SimilarAnswer}, items.SimilarRequest, (Kind.NOT_FOUND,)
    ),
    Operation("/v1/classify", "labels of texts", {200: texts.ClassifyAnswer}, texts.TaskRequest, _TASK),
    Operation("/v1/predict", "a number for each text", {200: texts.PredictAnswer}, texts.TaskRequest, _TASK),
    Operation("/v1/embeddings", "vectors of texts", {200: texts.EmbeddingsAnswer}, texts.EmbeddingsRequest),
    Operation("/rerank", "texts in the order of a query", _RERANKED, texts.RerankRequest),
    Operation("/v1/rerank", "the same, where Jina's and Cohere's clients look", _RERANKED, texts.RerankRequest),
    Operation("/v2/rerank", "the same, where Cohere's newer clients look", _RERANKED, texts.RerankRequest),
    Operation("/openapi.json", "this document", {200: dict}),
    Operation("/healthz", "200 unless the process has to be started again", {200: LiveAnswer, 503: LiveAnswer}),
    Operation("/readyz", "200 while this server wants traffic", {200: ReadyAnswer, 503: ReadyAnswer}),
    Operation("/metrics", "the exposition format of Prometheus", {200: str}),
)
