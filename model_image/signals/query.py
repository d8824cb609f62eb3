"""What a query asks for and what it asks to leave out."""

from typing import NamedTuple

from model_image.signals.words import words

_WITHOUT = "without no not non sans ohne kein keine sin senza sem zonder bez utan uden"
WITHOUT = frozenset(_WITHOUT.split(" "))
"""Words after which a query names what it does not want. Chinese, Japanese and Korean ones are not told: without
spaces where they end is not."""


class Query(NamedTuple):
    """The words `wanted` and `unwanted`, in the order of the text."""

    wanted: list[str]
    unwanted: list[str]


def read_query(text: str) -> Query:
    """Split at the first word of WITHOUT that is neither the first nor the last: "lamp without cord", but "no show
    socks". A fifth of 120 shop queries have one, and the product named there is the wrong answer's."""
    found = words(text)
    at = next((at for at, word in enumerate(found[1:-1], start=1) if word in WITHOUT), None)
    return Query(found, []) if at is None else Query(found[:at], found[at + 1 :])
