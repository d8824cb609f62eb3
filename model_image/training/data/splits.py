"""Who and what is learnt from, and what is kept to measure on. Pure; every choice is a hash, never a draw.

Time: events at or after the cut, by default about the last fifth of them, are targets. Users: a share of them is in no
example at all. Queries: five folds, with queries of the same words in the same fold. A hash keeps its choice when the
tables grow, so that the figures of two days compare.
"""

import re
import unicodedata
from datetime import datetime, timedelta
from hashlib import sha256

FOLDS = 5
"""Of the queries, by `fold`."""
_PARTS = 10
HISTORY = 0.8
"""Share of the events before the default cut; the rest are targets."""
_WORD = re.compile(r"[㐀-鿿豈-﫿぀-ヿ가-힯]|[^\W_]+?(?=[㐀-鿿豈-﫿぀-ヿ가-힯]|[\W_]|$)")


def unseen(user: str, percent: int) -> bool:
    """Whether the user, named by 32 hex digits, is kept out of all examples; the same as `UNSEEN` in SQL."""
    return int(user[:8], 16) % 100 < percent


UNSEEN = "(('0x' || left(\"user\", 8))::UBIGINT % 100 < {percent})"


def words(query: str) -> str:
    """The words of a query without case, order, number and repetition: near duplicates have the same.

    Chinese, Japanese and Korean count by character, since a space between them says nothing.
    """
    found = _WORD.findall(unicodedata.normalize("NFKC", query).casefold())
    single = {word[:-1] if len(word) > 3 and word.endswith("s") and word.isascii() else word for word in found}
    return " ".join(sorted(single)) or query.strip()


def fold(query: str) -> int:
    """0 to 4."""
    return _hash("fold", words(query)) % FOLDS


def part(group: str, seed: int) -> str:
    """Split of the examples of one group (a query's words, a user): "valid" for one in ten, which chooses the weights,
    else "train". They are measured on the held-out fold, or behind the cut."""
    return "train" if _hash("part", str(seed), group) % _PARTS else "valid"


def labelled_part(text: str, seed: int) -> str:
    """Split of a labelled text, which nothing else keeps aside: as `part`, but for one in ten that is "test"."""
    return "test" if _hash("part", str(seed), text) % _PARTS == 1 else part(text, seed)


def default_cut(first: datetime, at: datetime, last: datetime) -> datetime | None:
    """The midnight that ends the day of `at`, the time that a share `HISTORY` of the events are not after: one event of
    a wrong year moves it no more than any other. Where no event is behind it, the midnight that begins that day; None
    where there are fewer than two days."""
    day = datetime(at.year, at.month, at.day)
    following = day + timedelta(days=1)
    if following <= last:
        return following
    return day if day > first else None


def _hash(*parts: str) -> int:
    return int.from_bytes(sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()[:8], "big")
