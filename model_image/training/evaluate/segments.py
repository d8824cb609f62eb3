"""Parts of a truth that are measured apart. A segment restricts units (users, queries) or the products that count."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

from model_image.training.data.sql import literal
from model_image.training.dataset import EVENTS, Dataset
from model_image.training.evaluate import tables
from model_image.training.evaluate.protocol import Segment
from model_image.training.evaluate.rankings import Truth

FEWEST = 20
"""Segments of fewer units are reported, but never guarded: their intervals are as wide as luck."""

MOST_CATEGORIES = 8
_THIRDS = ("head", "mid", "tail")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def of_units(name: str, truth: Truth, units: Collection[str]) -> Segment:
    """The units named, with all of their products."""
    return Segment(name=name, truth={unit: gains for unit, gains in truth.items() if unit in units})


def of_products(
    name: str,
    truth: Truth,
    kept: Callable[[str, str], bool],
    *,
    hidden: Mapping[str, frozenset[str]] | None = None,
) -> Segment:
    """Only products where `kept(unit, product)`; units that are left without any relevant one are not in it."""
    found = {
        unit: {product: gain for product, gain in gains.items() if kept(unit, product)} for unit, gains in truth.items()
    }
    with_any = {unit: gains for unit, gains in found.items() if any(gain > 0 for gain in gains.values())}
    return Segment(name=name, truth=with_any, hidden=hidden or {})


def by_popularity(truth: Truth, bought: Mapping[str, int]) -> Iterator[Segment]:
    """ "head", "mid" and "tail": products in the order of their events, cut where a third of all events is reached.

    So each third has as many events, and the head few products. Products without any event are in none.
    """
    total, seen, third = sum(bought.values()), 0, {}
    for product in sorted(bought, key=lambda product: (-bought[product], product)):
        third[product] = _THIRDS[min(2, 3 * seen // total)]
        seen += bought[product]
    for name in _THIRDS if bought else ():
        yield of_products(name, truth, lambda _, product, name=name: third.get(product) == name)  # type: ignore[misc]


def by_category(truth: Truth, categories: Mapping[str, str]) -> Iterator[Segment]:
    """The first level of the category path, for the levels with the most relevant products."""
    counts = Counter(_level(categories.get(product, "")) for gains in truth.values() for product in gains)
    for name in _most(counts):
        yield of_products(
            f"category={name}",
            truth,
            lambda _, product, name=name: _level(categories.get(product, "")) == name,  # type: ignore[misc]
        )


def by_main_category(truth: Truth, categories: Mapping[str, str]) -> Iterator[Segment]:
    """Units by the first level of category that most of their gain is in."""
    main: dict[str, str] = {}
    for unit, gains in truth.items():
        sums: defaultdict[str, float] = defaultdict(float)
        for product, gain in gains.items():
            sums[_level(categories.get(product, ""))] += gain
        main[unit] = max(sorted(sums), key=lambda level: sums[level], default="")
    for name in _most(Counter(main.values())):
        yield of_units(f"category={name}", truth, {unit for unit, level in main.items() if level == name})


def by_query_length(truth: Truth, queries: Mapping[str, str]) -> Iterator[Segment]:
    """Queries of 1 or 2, 3 or 4, and more words; where none are spaced apart, two characters count as a word."""
    for name, low, high in (("query=1-2 words", 0, 2), ("query=3-4 words", 3, 4), ("query=5+ words", 5, math.inf)):
        units = {unit for unit in truth if low <= _length(queries[unit]) <= high}
        if units:
            yield of_units(name, truth, units)


def popularity(dataset: Dataset, *, before: datetime | None = None) -> dict[str, int]:
    """Purchases of each product, all or `before` a time in UTC; products without any are not in it."""
    source = tables.table(dataset, EVENTS)
    where, values = ("AND time::TIMESTAMP < $1", (before,)) if before else ("", ())
    bought = f"action = {literal(dataset.purchase)} {where}"
    sql = f"SELECT product_id, count(*) FROM {source} WHERE {bought} GROUP BY ALL ORDER BY ALL"
    return dict(tables.query(dataset, sql, values))


def _length(query: str) -> int:
    spaced = _CJK.sub(" ", query).split()
    return len(spaced) + math.ceil(len(_CJK.findall(query)) / 2)


def _level(path: str) -> str:
    return path.split(">")[0].strip()


def _most(counts: Counter[str]) -> list[str]:
    """The most frequent named categories."""
    named = sorted((name for name in counts if name), key=lambda name: (-counts[name], name))
    return named[:MOST_CATEGORIES]
