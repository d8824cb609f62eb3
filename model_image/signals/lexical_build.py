"""Makes the lexical index of a catalogue, and reads and writes its file."""

from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from model_image.signals.errors import SignalsError
from model_image.signals.lexical import FIELDS, K1, B, Described, LexicalIndex, Postings, field_words, hashed
from model_image.tensor_files import disk_told

FILE = "postings.safetensors"
_SIZE = "products"


def build_lexical(products: Iterable[Described]) -> LexicalIndex:
    """The index of `products` in their order: about 3,000 a second. One pass; takes 12 bytes a posting beside."""
    numbers: dict[str, int] = {}
    postings = {name: (array("i"), array("i"), array("i")) for name in FIELDS}
    lengths = {name: array("i") for name in FIELDS}
    anywhere: Counter[int] = Counter()
    row = -1
    for row, product in enumerate(products):
        held: set[int] = set()
        for name, found in field_words(product).items():
            lengths[name].append(len(found))
            for word, count in Counter(found).items():
                number = numbers.setdefault(word, len(numbers))
                held.add(number)
                for table, value in zip(postings[name], (number, row, count), strict=True):
                    table.append(value)
        anywhere.update(held)
    return _index(row + 1, numbers, anywhere, postings, lengths)


def _index(
    rows: int,
    numbers: dict[str, int],
    anywhere: Counter[int],
    postings: "dict[str, tuple[array[int], array[int], array[int]]]",
    lengths: "dict[str, array[int]]",
) -> LexicalIndex:
    hashes = np.array([hashed(word) for word in numbers], dtype=np.int64)
    order = np.argsort(hashes)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    holders = np.array([anywhere[number] for number in range(len(numbers))], dtype=np.float64)
    rarity = np.log1p((rows - holders + 0.5) / (holders + 0.5)).astype(np.float32)[order]
    fields = []
    for name in FIELDS:
        columns = (np.frombuffer(table, dtype=np.int32) if table else np.empty(0, np.int32) for table in postings[name])
        word, at, count = columns
        length = np.array(lengths[name], dtype=np.float64)
        fields.append(_postings(place[word], at, count.astype(np.float64), length, len(numbers), rarity))
    return LexicalIndex(rows, hashes[order], rarity, fields)


def _postings(
    word: np.ndarray, row: np.ndarray, count: np.ndarray, length: np.ndarray, words: int, rarity: np.ndarray
) -> Postings:
    """All of one field, `word`, `row` and `count` being [postings]."""
    order = np.lexsort((row, word))
    word, row, count = word[order], row[order], count[order]
    mean = max(float(length.mean()) if len(length) else 0.0, 1e-9)
    weights = rarity[word] * count * (K1 + 1) / (count + K1 * (1 - B + B * length[row] / mean))
    starts = np.searchsorted(word, np.arange(words + 1)).astype(np.int64)
    return Postings(starts, row.astype(np.int32), weights.astype(np.float32))


def save_lexical(index: LexicalIndex, folder: Path) -> None:
    """Write the index into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {_SIZE: np.array([len(index)], dtype=np.int64), "hashes": index.hashes, "rarity": index.rarity}
    for name, field in zip(FIELDS, index.fields, strict=True):
        tables |= {f"{name}.starts": field.starts, f"{name}.rows": field.rows, f"{name}.weights": field.weights}
    with disk_told(folder / FILE):
        save_file(tables, folder / FILE)


def load_lexical(folder: Path, *, rows: int) -> LexicalIndex:
    """The index in `folder` of a catalogue of `rows` products. Raises `SignalsError`."""
    path = folder / FILE
    try:
        tables = load_file(path)
        fields = [Postings(*(tables[f"{name}.{part}"] for part in ("starts", "rows", "weights"))) for name in FIELDS]
        found = LexicalIndex(int(tables[_SIZE][0]), tables["hashes"], tables["rarity"], fields)
    except (OSError, SafetensorError, KeyError, IndexError) as error:
        raise SignalsError(f"{path}: not a lexical index ({error}); build the release again") from error
    if len(found) != rows:
        raise SignalsError(f"{path}: is of {len(found)} products, the catalogue has {rows}; build the release again")
    for name, field in zip(FIELDS, fields, strict=True):
        if wrong := _fault(field, len(found.hashes), rows):
            raise SignalsError(f"{path}: {name}: {wrong}; build the release again")
    if found.rarity.shape != found.hashes.shape or (np.diff(found.hashes) <= 0).any():
        raise SignalsError(f"{path}: words: expected hashes in order, each with its rarity; build the release again")
    return found


def _fault(field: Postings, words: int, rows: int) -> str | None:
    """What of the tables would make a search fail or mislead."""
    if field.starts.shape != (words + 1,) or field.rows.shape != field.weights.shape or field.rows.ndim != 1:
        return "expected tables of matching shapes"
    if field.starts.dtype != np.int64 or field.rows.dtype != np.int32 or field.weights.dtype != np.float32:
        return "expected int64 starts, int32 rows and float32 weights"
    if field.starts[0] != 0 or field.starts[-1] != len(field.rows) or (np.diff(field.starts) < 0).any():
        return "expected starts that ascend from 0 to the number of postings"
    if len(field.rows) and not (field.rows.min() >= 0 and field.rows.max() < rows):
        return f"expected rows from 0 below {rows}"
    return None if np.isfinite(field.weights).all() and (field.weights >= 0).all() else "expected finite weights"
