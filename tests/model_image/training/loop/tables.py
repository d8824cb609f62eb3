"""The tables of a small shop: the sample catalogue, customers who come back, and queries that its titles answer."""

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from model_image import sample

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAYS, USERS, EACH, LIKED = 100, 60, 6, 4


def write_tables(folder: Path, *, seed: int = 0) -> None:
    """catalogue.csv, events.csv, queries.csv and judgments.csv."""
    folder.mkdir(exist_ok=True)
    products, queries = _read(sample.CATALOGUE), _read(sample.QUERIES)
    (folder / "catalogue.csv").write_bytes(Path(sample.CATALOGUE).read_bytes())
    _write(folder / "events.csv", ["user_id", "product_id", "time"], _events(products, random.Random(seed)))
    _write(folder / "queries.csv", ["query_id", "query"], [[row["query_id"], row["query"]] for row in queries])
    _write(folder / "judgments.csv", ["query_id", "product_id", "grade"], _judgments(queries, products))


def _events(products: list[dict[str, str]], chance: random.Random) -> list[list[str]]:
    """Each user likes one category, and of it what many like: one thing again and again, and others by chance."""
    by_category: dict[str, list[str]] = {}
    for product in products:
        by_category.setdefault(product["category"].partition(" > ")[0], []).append(product["product_id"])
    found = []
    for user in range(USERS):
        liked = by_category[sorted(by_category)[user % len(by_category)]][:LIKED]
        usual = chance.choice(liked)
        for day in sorted(chance.sample(range(DAYS), EACH)):
            for product in {usual, chance.choice(liked), chance.choice(products)["product_id"]}:
                found.append([f"customer-{user}", product, (FIRST + timedelta(days=day)).isoformat()])
    return sorted(found, key=lambda event: event[2])


def _judgments(queries: list[dict[str, str]], products: list[dict[str, str]]) -> list[list[str]]:
    """By the words that query and title share."""
    found = []
    for query in queries:
        wanted = set(query["query"].lower().split())
        for product in products:
            shared = len(wanted & set(product["title"].lower().split()))
            found.append([query["query_id"], product["product_id"], str(min(3, shared))])
    return found


def _read(path: Path | str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
