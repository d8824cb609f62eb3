"""The catalogue a release is built from and the queries to ask it: what the files must hold.

Catalogue (CSV in UTF-8 with a header, or Parquet; one row per product):

    product_id     required   text or integer, at most 200 characters, unique
    title          required   text
    brand, color, category, description, bullet_points     optional text
    price          optional   a number from 0 up, '.' as decimal point

Queries: query_id (required, unique) and query (required text). Columns of other names are ignored. When a file names
its columns differently, pass `renamed={"product_id": "stock_code"}` instead of rewriting the file.
"""

import math
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from model_image import tables
from model_image.tables import Row, TableError

TEXTS = ("brand", "color", "category", "description", "bullet_points")
_MAX_ID = 200


@dataclass(frozen=True, kw_only=True)
class Product:
    """One checked row; absent text is '', an absent price None."""

    product_id: str
    title: str
    brand: str = ""
    color: str = ""
    category: str = ""
    description: str = ""
    bullet_points: str = ""
    price: float | None = None


@dataclass(frozen=True, kw_only=True)
class Query:
    """One checked query."""

    query_id: str
    query: str


def read_catalogue(
    path: Path | str, *, renamed: Mapping[str, str] | None = None, note: Callable[[str], None] | None = None
) -> Generator[Product]:
    """Stream the products of `path`. Raises `TableError` with the place of the first bad row, or for no row at all.
    The file is closed after the last row, an error, or `close()`.

    `renamed` maps our column name to the file's. `note` is told once which columns are ignored.
    """
    file = Path(path)
    names = _names(file, ("product_id", "title", *TEXTS, "price"), renamed)
    optional = [names[name] for name in (*TEXTS, "price")]
    with closing(_unique(file, ("product_id", "title"), optional, names, note)) as rows:
        for row in rows:
            texts = {name: row.values.get(names[name], "").strip() for name in TEXTS}
            yield Product(
                product_id=row.values[names["product_id"]].strip(),
                title=row.values[names["title"]].strip(),
                price=_price(file, row, names["price"]),
                **texts,
            )


def read_queries(path: Path | str, *, renamed: Mapping[str, str] | None = None) -> Generator[Query]:
    """Stream the queries of `path`, with the errors of `read_catalogue`."""
    file = Path(path)
    names = _names(file, ("query_id", "query"), renamed)
    with closing(_unique(file, ("query_id", "query"), (), names, None)) as rows:
        for row in rows:
            values = row.values
            yield Query(query_id=values[names["query_id"]].strip(), query=values[names["query"]].strip())


def _names(path: Path, known: tuple[str, ...], renamed: Mapping[str, str] | None) -> dict[str, str]:
    for name in renamed or {}:
        if name not in known:
            raise TableError(path, "renamed columns", f"one of {', '.join(known)}", value=name)
    return {name: (renamed or {}).get(name, name) for name in known}


def _unique(
    path: Path,
    required: tuple[str, str],
    optional: list[str] | tuple[()],
    names: Mapping[str, str],
    note: Callable[[str], None] | None,
) -> Generator[Row]:
    """Rows whose required columns hold text and whose first column (the id) did not occur before."""
    id_column, text_column = (names[name] for name in required)
    seen: dict[str, str] = {}
    with closing(tables.read_rows(path, required=(id_column, text_column), optional=optional)) as rows:
        for row in rows:
            if not seen and note:
                ignored = [name for name in tables.columns(path) if name not in names.values()]
                if ignored:
                    note(f"{path.name}: ignored columns {', '.join(ignored)}")
            for column in (id_column, text_column):
                if not row.values[column].strip():
                    raise TableError(path, row.place, "text", column=column, value=row.values[column])
            key = row.values[id_column].strip()
            if len(key) > _MAX_ID or not key.isprintable():
                wanted = f"at most {_MAX_ID} printable characters"
                raise TableError(path, row.place, wanted, column=id_column, value=key)
            if key in seen:
                raise TableError(path, row.place, f"a new id ({seen[key]} has it)", column=id_column, value=key)
            seen[key] = row.place
            yield row
    if not seen:
        raise TableError(path, "", "at least one row below the header")


def _price(path: Path, row: Row, column: str) -> float | None:
    text = row.values.get(column, "").strip()
    if not text:
        return None
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not (math.isfinite(price) and price >= 0):
        raise TableError(path, row.place, "a number from 0 up, or nothing", column=column, value=text)
    return price
