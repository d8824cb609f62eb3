"""What a query asks for and what it asks to leave out."""

import re
import unicodedata
from itertools import pairwise
from typing import NamedTuple

from model_image.signals.words import words

_WITHOUT = "without no not non sans ohne kein keine senza sem zonder bez utan uden"
WITHOUT = frozenset(_WITHOUT.split(" "))
"""Words after which a query names what it does not want. Spanish "sin" is not one: it is an English word too. Chinese,
Japanese and Korean ones are not told: without spaces where they end is not."""

_PIECE = re.compile(r"\S+")
_EDGE = re.compile(r"^[\W_]+|[\W_]+$")


class Query(NamedTuple):
    """The words `wanted` and `unwanted`, in the order of the text."""

    wanted: list[str]
    unwanted: list[str]


def read_query(text: str) -> Query:
    """Split at the first word of WITHOUT that has words before and after it: "lamp without cord", but "no show socks".

    Before a number it is the short form of one, "chanel no 5". A fifth of 120 shop queries have such a word, and the
    product named after it is the wrong answer's.
    """
    pieces = list(_PIECE.finditer(text))
    for piece, after in pairwise(pieces):
        if _plain(piece[0]) in WITHOUT and not _plain(after[0])[:1].isdigit():
            wanted, unwanted = words(text[: piece.start()]), words(text[piece.end() :])
            if wanted and unwanted:
                return Query(wanted, unwanted)
    return Query(words(text), [])


def _plain(piece: str) -> str:
    """In small letters of common width, without what stands around it: "(Sans" is sans."""
    return _EDGE.sub("", unicodedata.normalize("NFKC", piece).casefold())
