"""Tokens of texts seen before, within a bound of memory: of a catalogue's items nearly all are tokenised once."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from weakref import WeakSet

from model_image.server.backend import LoadedModel, Tokens

MAX_TEXT = 4096
"""Characters of the longest text kept: longer ones are rarely asked for twice and push many others out."""

_OVERHEAD = 250
"""Bytes an entry takes besides text and tokens: resident memory over 100,000 entries was 223 to 250 more."""


class _Shelf:
    """What is kept for one model, least recently used first. It holds the model, so that no other gets its id."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.texts: OrderedDict[str, Tokens] = OrderedDict()
        self.bytes = 0


class TokensCache:
    """Any thread may call. When `limit` bytes are full, the model with the most gives up its least used."""

    def __init__(self, limit: int) -> None:
        self.bytes = 0
        self._limit = limit
        self._shelves: dict[int, _Shelf] = {}
        self._closed: WeakSet[LoadedModel] = WeakSet()
        self._lock = threading.Lock()

    def get(self, model: LoadedModel, texts: Sequence[str]) -> list[Tokens | None]:
        """The tokens of each text, or None where they are not here."""
        with self._lock:
            shelf = self._shelves.get(id(model))
            if shelf is None:
                return [None] * len(texts)
            found = [shelf.texts.get(text) for text in texts]
            for text, tokens in zip(texts, found, strict=True):
                if tokens is not None:
                    shelf.texts.move_to_end(text)
            return found

    def put(self, model: LoadedModel, texts: Sequence[str], tokens: Sequence[Tokens]) -> None:
        """Keep what fits. The arrays become read-only, as several requests will share them. A model that was forgotten
        stays so: its client left while a thread read the texts, and nobody would forget it again."""
        with self._lock:
            if model in self._closed:
                return
            shelf = self._shelves.setdefault(id(model), _Shelf(model))
            for text, each in zip(texts, tokens, strict=True):
                if len(text) > MAX_TEXT or text in shelf.texts:
                    continue
                kept = each if each.base is None else each.copy()  # a view would keep all it looks at
                kept.setflags(write=False)
                shelf.texts[text] = kept
                self._count(shelf, _size(text, kept))
            while self.bytes > self._limit:
                fullest = max(self._shelves.values(), key=lambda one: one.bytes)
                text, each = fullest.texts.popitem(last=False)
                self._count(fullest, -_size(text, each))

    def forget(self, model: LoadedModel) -> None:
        """`model` is closed: drop what it had, and the hold on it."""
        with self._lock:
            self._closed.add(model)
            shelf = self._shelves.pop(id(model), None)
            if shelf is not None:
                self.bytes -= shelf.bytes

    def _count(self, shelf: _Shelf, size: int) -> None:
        shelf.bytes += size
        self.bytes += size


def _size(text: str, tokens: Tokens) -> int:
    return sys.getsizeof(text) + int(tokens.nbytes) + _OVERHEAD
