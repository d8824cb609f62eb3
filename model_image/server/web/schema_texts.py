"""What asks about texts that come with the request, and the answers: rerank, embeddings, classify, predict."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from model_image.server.web.schema import MAX_DOCUMENTS, Query, TaskName, Text, Texts
from model_image.server.web.schema_items import Signed


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    """The OpenAI shape. `model` is not looked at; `dimensions`, where given, must be the encoder's own.

    base64 is of little-endian float32, a quarter of the bytes of float.
    """

    input: Text | Texts
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class Embedding(Struct, frozen=True, kw_only=True):
    """A vector of length 1."""

    object: str = "embedding"
    index: int
    embedding: list[float] | str


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens that were read, special tokens and cuts counted."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(Struct, frozen=True, kw_only=True):
    object: str = "list"
    data: list[Embedding]
    model: str
    usage: Usage


class Document(Struct, frozen=True, kw_only=True):
    """A document as Cohere and Jina write it."""

    text: Text


class RerankRequest(Struct, frozen=True, kw_only=True):
    """`texts` asks in the shape of text-embeddings-inference, `documents` in that of Cohere and Jina: one of both.

    The score is the cross-encoder's probability, with `raw_scores` its logit; without a cross-encoder the cosine.
    """

    query: Query
    texts: Annotated[list[Text], Meta(min_length=1, max_length=MAX_DOCUMENTS)] | None = None
    documents: Annotated[list[Text | Document], Meta(min_length=1, max_length=MAX_DOCUMENTS)] | None = None
    top_n: Annotated[int, Meta(ge=1)] | None = None
    return_text: bool = False
    return_documents: bool = False
    raw_scores: bool = False


class RankedText(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the answer to `texts`: the position in the request and the score."""

    index: int
    score: float
    text: str | None = None


class RankedDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the answer to `documents`."""

    index: int
    relevance_score: float
    document: Document | None = None


class RerankAnswer(Struct, frozen=True, kw_only=True):
    """The answer to `documents`."""

    model: str
    results: list[RankedDocument]
    usage: Usage


class TaskRequest(Struct, frozen=True, kw_only=True):
    """`task` names one of the release's models that classify or predict."""

    task: TaskName
    texts: Texts


class Label(Struct, frozen=True, kw_only=True):
    """`score` is the probability; those of a text add up to 1."""

    label: str
    score: float


class ClassifyAnswer(Signed, frozen=True, kw_only=True):
    """One list per text: all labels of the task, the most probable first."""

    task: str
    results: list[list[Label]]


class PredictAnswer(Signed, frozen=True, kw_only=True):
    """One number per text."""

    task: str
    values: list[float]
