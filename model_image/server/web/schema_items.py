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
    """The `k` best products for a query. `rerank`: whether the cross-encoder orders the candidates that were
    found; by default it does where the release has one, and without one nothing is reranked."""

    query: Query
    k: Count = 10
    rerank: bool | None = None


class SearchAnswer(Signed, frozen=True, kw_only=True):
    """`results` are product lines of the catalogue with `score`, best first. What it is depends on the release: the
    cross-encoder's probability where `reranked`, else the learned ranker's number, the sum of a fusion by vectors and
    words, or the cosine. Only a probability and a cosine mean something from one query to another.

    A result has `probability` where the release has calibrated its ranker and `score` is the ranker's, so never where
    `reranked`: of the event that the product is an exact match for the query, as the people who grade products say. It
    is learnt from graded products that a search finds, so it is too high for what stands far down a long list, which
    nobody would grade."""

    query: str
    results: list[dict[str, Any]]
    reranked: bool


class Seen(Struct, frozen=True, kw_only=True):
    """A product of a user's history. `weight` says how much it counts (a purchase more than a view)."""

    id: ProductId
    weight: Annotated[float, Meta(ge=0.001, le=1000)] = 1.0
    age_days: Annotated[float, Meta(ge=0, le=MAX_AGE_DAYS)] | None = None


class RecommendRequest(Struct, frozen=True, kw_only=True):
    """The `k` best products for a user's history, of `candidates` or else of the whole catalogue: in the order of the
    learned ranker where the release has one, else the nearest to what the history is about.

    `history` is in time's order, the latest last. For that nearness each product counts half as much per 7 days of age
    where every entry has `age_days`, else half as much per 10 later entries. A ranker reads ages in whole days, and a
    product once a day; send them where they are known, it was fitted on histories that have them.
    """

    history: Annotated[list[ProductId | Seen], Meta(min_length=1, max_length=MAX_HISTORY)]
    candidates: Annotated[list[ProductId], Meta(min_length=1, max_length=MAX_CANDIDATES)] | None = None
    k: Count = 10
    include_history: bool = False


class RecommendAnswer(Signed, frozen=True, kw_only=True):
    """`results` are product lines with `score`, best first: the learned ranker's number, or the cosine. `unknown`
    counts the ids of history and candidates that the release's catalogue has not.

    A result has `probability` where the release has calibrated its ranker: of the event that the product is in the
    customer's next basket, the first day with purchases, where one comes within 61 days; whether one comes, it does not
    say. It is learnt from histories of purchases with ages: send those."""

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
