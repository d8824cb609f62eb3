"""A small made-up shop: red and blue things, users who come back for what they like."""

from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import md5
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from model_image import artefact, release_zero
from model_image.catalogue import Product
from model_image.embed import embed_texts
from model_image.layout import ENCODER
from model_image.release_zero import embedded_text
from model_image.server.backends.dummy import DummyBackend
from model_image.settings import ModelSettings, write_settings
from model_image.training.dataset import EVENTS, JUDGMENTS, PREPARED, PRODUCTS, QUERIES, SCHEMA, Dataset, Prepared
from model_image.training.ranker.build import write_signals
from model_image.training.ranker.fitting import Settings

CUT = datetime(2024, 6, 1, tzinfo=UTC)
KINDS = ("lamp", "desk", "chair", "cup", "sock", "hat")
GRID = (Settings("lambdarank", 4, 20, rate=0.2, most=20),)
COLORS = ("red", "blue", "green", "black", "white")


def products() -> list[Product]:
    return [
        Product(product_id=f"p{number}", title=f"{color} {kind}", color=color, category=kind)
        for number, (kind, color) in enumerate((kind, color) for kind in KINDS for color in COLORS)
    ]


def embed(texts: list[str]) -> np.ndarray:
    """A vector per text: its words' hashes, added up."""
    rows = []
    for text in texts:
        vectors = [
            np.random.default_rng(int(md5(word.encode()).hexdigest()[:8], 16)).normal(size=16)
            for word in text.replace(".", "").split()
        ]
        total = np.sum(vectors, axis=0)
        rows.append(total / np.linalg.norm(total))
    return np.array(rows, dtype=np.float32)


def vectors() -> np.ndarray:
    return embed([embedded_text(product) for product in products()]).astype(np.float16).astype(np.float32)


def prepare(folder: Path, *, users: int = 60, days: tuple[int, int] = (0, 240), queries: int = 30) -> Dataset:
    """`days` are the first and the end of those with purchases; the cut is before day 180."""
    folder.mkdir()
    random = np.random.default_rng(0)
    catalogue = products()
    names = ("product_id", "title", "brand", "color", "category", "description", "bullet_points")
    columns: dict[str, list[object]] = {name: [getattr(product, name) for product in catalogue] for name in names}
    _write(folder / PRODUCTS, columns | {"price": [1.0] * len(catalogue), "tags": [[] for _ in catalogue]})
    asked = [(kind, color) for kind in KINDS for color in COLORS][:queries]
    texts = [f"{kind} without {color}" if at % 5 == 0 else f"{color} {kind}" for at, (kind, color) in enumerate(asked)]
    ids = [f"q{at}" for at in range(len(asked))]
    _write(folder / QUERIES, {"query_id": ids, "query": texts, "fold": [at % 5 for at in range(len(asked))]})
    graded = [(f"q{at}", product, _grade(at, asked[at], product)) for at in range(len(asked)) for product in catalogue]
    _write(
        folder / JUDGMENTS,
        {
            "query_id": pa.array([query for query, _, _ in graded], pa.string()),
            "product_id": pa.array([product.product_id for _, product, _ in graded], pa.string()),
            "grade": pa.array([grade for _, _, grade in graded], pa.int64()),
        },
    )
    bought = []
    for user in range(users):
        liked = random.permutation(len(catalogue))[:6]
        for day in sorted(days[0] + random.permutation(days[1] - days[0])[:12]):
            time = CUT + timedelta(days=int(day) - 180, hours=9)
            bought += [(md5(str(user).encode()).hexdigest(), f"p{row}", time) for row in random.permutation(liked)[:3]]
    _write(
        folder / EVENTS,
        {
            "user": [user for user, _, _ in bought],
            "product_id": [product for _, product, _ in bought],
            "action": ["purchase"] * len(bought),
            "time": pa.array([time for _, _, time in bought], pa.timestamp("us", "UTC")),
        },
    )
    files = dict.fromkeys((PRODUCTS, QUERIES, JUDGMENTS, EVENTS), "")
    prepared = Prepared(
        schema=SCHEMA, revision="r", created="", inputs={}, files=files, tables={}, cut=CUT, unseen_percent=20, seed=0
    )
    (folder / PREPARED).write_bytes(msgspec.json.encode(prepared))
    return Dataset(folder)


def release(folder: Path, dataset: Dataset) -> Path:
    """`folder` with all that the shop teaches, sealed, for the dummy backend."""
    (folder / ENCODER).mkdir(parents=True)
    write_settings(folder / ENCODER, ModelSettings(head="embed", max_tokens=32, dimension=64))
    release_zero.write_catalogue(folder, products())
    embedding = partial(embed_texts, DummyBackend().load(folder / ENCODER))
    release_zero.write_vectors(folder, embedding, products(), len(products()))
    write_signals(folder, products(), dataset, embed=embedding, grid=GRID, say=lambda _: None)
    artefact.seal(folder, model="search", base_model="dummy", data_revision="test", code_revision="test")
    return folder


def _grade(at: int, asked: tuple[str, str], product: Product) -> int:
    same_kind, same_color = product.category == asked[0], product.color == asked[1]
    if at % 5 == 0:
        same_color = not same_color
    return 3 if same_kind and same_color else 1 if same_kind else 0


def _write(path: Path, columns: dict) -> None:
    parquet.write_table(pa.table(columns), path)
