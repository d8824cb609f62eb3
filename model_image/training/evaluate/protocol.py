"""What systems are asked, what is true of it, and the parts of it that are measured apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from model_image.training.evaluate.rankings import Run, Truth

DEPTH = 200
"""Products a system ranks at least, its user's own left aside; the largest K of a metric here is 100."""

ALL = "all"
"""The segment of everything."""


class Asked(NamedTuple):
    """One query; `candidates` are the products to rank, None for the whole catalogue."""

    query: str
    candidates: tuple[str, ...] | None = None


class History(NamedTuple):
    """What a user bought before the cut, the oldest first: `products` with a place for each purchase, and `ages`, days
    from each purchase to the cut."""

    products: tuple[str, ...]
    ages: tuple[float, ...]


T = TypeVar("T", Asked, History)

System = Callable[[Mapping[str, T]], Run]
"""What is measured: all queries or histories at once, by their key, to scores of products. It gives `DEPTH` products
or more beside those of the history, or all there are."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of the truth. `hidden` products are taken out of the user's ranking before it is measured."""

    name: str
    truth: Truth
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Task(Generic[T]):
    """What is asked and what is true; the first segment is `ALL`. `facts` are told in the report as they are."""

    name: str
    asked: Mapping[str, T]
    segments: tuple[Segment, ...]
    metrics: tuple[str, ...]
    catalogue: frozenset[str]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def truth(self) -> Truth:
        """Of the segment `ALL`."""
        return self.segments[0].truth
