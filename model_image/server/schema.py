"""What requests and answers look like, and the limits on them. Unknown fields of a request are ignored, as clients
of the OpenAI and text-embeddings-inference shapes send many that do not matter here."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from model_image.server.errors import Kind, ServingError

MAX_BODY = 1 << 20
MAX_TEXTS = 128
MAX_K = 100
MAX_CHARACTERS = 100_000

Text = Annotated[str, Meta(max_length=MAX_CHARACTERS)]
Texts = Annotated[list[Text], Meta(min_length=1, max_length=MAX_TEXTS)]
Query = Annotated[str, Meta(min_length=1, max_length=MAX_CHARACTERS, pattern=r"\S")]

Request = TypeVar("Request", bound=Struct)


class SearchRequest(Struct, frozen=True, kw_only=True):
    """POST /v1/search: the `k` nearest products of the release's catalogue."""

    query: Query
    k: Annotated[int, Meta(ge=1, le=MAX_K)] = 10


class EmbeddingsRequest(Struct, frozen=True, kw_only=True):
    """POST /v1/embeddings: the OpenAI shape, vectors as numbers."""

    input: Text | Texts
    model: str = ""
    encoding_format: str = "float"


class RerankRequest(Struct, frozen=True, kw_only=True):
    """POST /rerank: the text-embeddings-inference shape; the score is the cosine."""

    query: Query
    texts: Texts
    return_text: bool = False


class SearchAnswer(Struct, frozen=True, kw_only=True):
    """`results` are product lines of the catalogue with `score`, best first."""

    query: str
    results: list[dict[str, Any]]
    release: str
    site: str
    slot: str
    model: str


class Embedding(Struct, frozen=True, kw_only=True):
    object: str = "embedding"
    index: int
    embedding: list[float]


class Usage(Struct, frozen=True, kw_only=True):
    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(Struct, frozen=True, kw_only=True):
    object: str = "list"
    data: list[Embedding]
    model: str
    usage: Usage


class Ranked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    index: int
    score: float
    text: str | None = None


class ReadyAnswer(Struct, frozen=True, kw_only=True):
    """GET /readyz. `refused` is the release that the channel names and this server will not serve, and why."""

    ready: bool
    release: str | None
    image: str
    site: str
    slot: str
    refused: dict[str, str] | None
    registry: str


def decode(body: bytes, kind: type[Request]) -> Request:
    """The request in `body`. Raises `ServingError` with the field and the rule, never with the user's text."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise ServingError(Kind.INVALID_REQUEST, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServingError(Kind.INVALID_JSON, f"the body is not valid JSON: {error}") from None
