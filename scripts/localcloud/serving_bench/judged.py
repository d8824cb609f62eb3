"""Real queries with judged products, read from the folder given as --data."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from model_image.tables import TableError, read_rows
from scripts.localcloud.console import BadInput

FOLDER = "esci_us_150"
FILES = ("queries.parquet", "products.parquet", "judgments.parquet")
_MORE = ("category", "bullet_points", "description")
_HELD_OUT = 3  # every third query


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One query and its products: `texts` as a cross-encoder reads them, `grades` 0 (irrelevant) to 3 (exact)."""

    query: str
    texts: tuple[str, ...]
    grades: tuple[int, ...]


class ShopData:
    """The queries, their judgments and all products of one folder."""

    def __init__(self, folder: Path) -> None:
        """Raises BadInput naming the file that is missing or cannot be read."""
        self.folder = folder / FOLDER if (folder / FOLDER).is_dir() else folder
        for name in FILES:
            if not (self.folder / name).is_file():
                raise BadInput(f"--data {folder}: {self.folder / name} is not there; expected {', '.join(FILES)}")
        self.digest = sha256(b"".join((self.folder / name).read_bytes() for name in FILES)).hexdigest()

    @cached_property
    def queries(self) -> list[Judged]:
        """All queries that have a judged product, in the order of the file."""
        texts = {row["product_id"]: _embedded(row) for row in self._products}
        judged: dict[str, list[tuple[str, int]]] = {}
        for row in self._read("judgments.parquet", "query_id", "product_id", "grade"):
            if row["product_id"] in texts:
                judged.setdefault(row["query_id"], []).append((texts[row["product_id"]], int(row["grade"])))
        found = []
        for row in self._read("queries.parquet", "query_id", "query"):
            if pairs := judged.get(row["query_id"]):
                products, grades = zip(*pairs, strict=True)
                found.append(Judged(query=row["query"], texts=products, grades=grades))
        return found

    @property
    def training(self) -> list[Judged]:
        return [judged for at, judged in enumerate(self.queries) if at % _HELD_OUT]

    @property
    def held_out(self) -> list[Judged]:
        """Whole queries that training never sees."""
        return [judged for at, judged in enumerate(self.queries) if not at % _HELD_OUT]

    @cached_property
    def passages(self) -> list[str]:
        """Long texts: all that is known of each product."""
        words = ("title", *_MORE)
        return [" ".join(filter(None, (row.get(name) for name in words))) for row in self._products]

    @cached_property
    def _products(self) -> list[dict[str, str]]:
        return self._read("products.parquet", "product_id", "title", optional=_MORE)

    def _read(self, name: str, *required: str, optional: tuple[str, ...] = ()) -> list[dict[str, str]]:
        try:
            return [dict(row.values) for row in read_rows(self.folder / name, required=required, optional=optional)]
        except TableError as error:
            raise BadInput(f"--data: {error}") from error


def _embedded(row: dict[str, str]) -> str:
    """As release 0 pairs a product with a query: title and category."""
    return f"{row['title']}. {row['category']}" if row.get("category") else row["title"]
