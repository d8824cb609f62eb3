"""A small shop: the sample catalogue, customers who come back, and queries that its categories answer."""

import csv
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from model_image import sample
from model_image.training.data.pseudonyms import new_key

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAYS, USERS, EACH = 100, 60, 6


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write the tables, and name them, a registry and a folder to work in by the loop's words; the tables' folder."""

    def written(*, seed: int = 0) -> Path:
        folder = tmp_path / "tables"
        folder.mkdir(exist_ok=True)
        products = _read(sample.CATALOGUE)
        (folder / "catalogue.csv").write_bytes(Path(sample.CATALOGUE).read_bytes())
        _write(folder / "events.csv", ["user_id", "product_id", "time"], _events(products, random.Random(seed)))
        queries = _read(sample.QUERIES)
        _write(folder / "queries.csv", ["query_id", "query"], [[row["query_id"], row["query"]] for row in queries])
        _write(folder / "judgments.csv", ["query_id", "product_id", "grade"], _judgments(queries, products))
        return folder

    (tmp_path / "registry").mkdir()
    new_key(tmp_path / "users.key")
    words = {"REGISTRY": "registry", "INPUT": "tables", "DATA": "work", "KEY": "users.key"}
    for word, name in words.items():
        monkeypatch.setenv(f"TRAINING_{word}", str(tmp_path / name))
    return written


def _events(products: list[dict[str, str]], chance: random.Random) -> list[list[str]]:
    """Each user likes one category, buys one thing of it again and again, and others by chance."""
    by_category: dict[str, list[str]] = {}
    for product in products:
        by_category.setdefault(product["category"].partition(" > ")[0], []).append(product["product_id"])
    found = []
    for user in range(USERS):
        liked = by_category[sorted(by_category)[user % len(by_category)]]
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
