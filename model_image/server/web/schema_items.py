"""What asks for products of the catalogue, and the answers: search, recommend, similar."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from model_image.server.web.schema import MAX_AGE_DAYS, MAX_CANDIDATES, MAX_HISTORY, Count, ProductId, Query


class Signed(Struct, frozen=True, kw_only=True):
    """Who answered: the release's digest, the site, its slot, and the name of the model."""

    release: str
    site: str
    slot: str
    model: str


class SearchRequest(Struct, frozen=True, kw_only=True):
    """The `k` best products for a query. `rerank`: whether the cross-encoder orders the candidates that the index
    finds; by default it does where the release has one, and without one nothing is reranked."""

    query: Query
    k: Count = 10
    rerank: bool | None = None


class SearchAnswer(Signed, frozen=True, kw_only=True):
    """`results` are product lines of the catalogue with `score`, best first: the cosine, or where `reranked` the
    cross-encoder's probability."""

    query: str
    results: list[dict[str, Any]]
    reranked: bool


class Seen(Struct, frozen=True, kw_only=True):
    """A product of a user's history. `weight` says how much it counts (a purchase more than a view)."""

    id: ProductId
    weight: Annotated[float, Meta(ge=0.001, le=1000)] = 1.0
    age_days: Annotated[float, Meta(ge=0, le=MAX_AGE_DAYS)] | None = None


class RecommendRequest(Struct, frozen=True, kw_only=True):
    """The `k` products nearest to what a user's history is about, of `candidates` or else of the whole catalogue.

    `history` is in time's order, the latest last. Each product counts half as much per 7 days of age where every
    entry has `age_days`, else half as much per 10 later entries.
    """

    history: Annotated[list[ProductId | Seen], Meta(min_length=1, max_length=MAX_HISTORY)]
    candidates: Annotated[list[ProductId], Meta(min_length=1, max_length=MAX_CANDIDATES)] | None = None
    k: Count = 10
    include_history: bool = False


class RecommendAnswer(Signed, frozen=True, kw_only=True):
    """`unknown` counts the ids of history and candidates that the release's catalogue has not."""

    results: list[dict[str, Any]]
    unknown: int


class SimilarRequest(Struct, frozen=True, kw_only=True):
    """The `k` products nearest to product `id`, itself left out."""

    id: ProductId
    k: Count = 10


class SimilarAnswer(Signed, frozen=True, kw_only=True):
    """`results` are product lines of the catalogue with `score`, the cosine, best first."""

    id: str
    results: list[dict[str, Any]]
