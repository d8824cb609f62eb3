"""Mail addresses, phone and card numbers out of what customers typed; product codes and model numbers stay.

A number goes only when it has the shape of one: a card its issuer's first digits, length and check digit (Luhn, ISO
7812); a phone a leading +, an area in the usual groups, a Chinese mobile's first digits, or a word for it in front.
Codes of goods (8, 12, 13 or 14 digits with the check digit of GS1) stay. Full-width digits count as digits. Not found:
addresses with letters other than Latin ones, numbers in words, bare numbers of ten digits.
"""

import re
from collections import Counter
from collections.abc import Iterator

MAIL, PHONE, CARD = "[mail]", "[phone]", "[card]"

_WIDE = str.maketrans("０１２３４５６７８９＋－（）．＠　", "0123456789+-().@ ")  # noqa: RUF001
# Bounded, so that a text of 100,000 letters takes a fraction of a second.
_LATIN = "A-Za-zÀ-ɏ"  # not those of Asia: words stand without a space before and behind an address there
_MAIL = re.compile(
    rf"[{_LATIN}0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:[{_LATIN}0-9-]{{1,63}}\.){{1,8}}[{_LATIN}]{{2,24}}"
)
_DIGITS = re.compile(r"(?<![A-Za-z0-9])\d+(?:(?: {1,2}|[.-])\d+)*(?![A-Za-z0-9])")
_ISSUERS = re.compile(r"3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|(?:4\d|5[0-8]|6\d|2[2-7]|35)\d{14}|(?:4|6)\d{15,18}")
_LONGEST_CARD = 19
_PHONES = tuple(
    (least, re.compile(pattern, re.IGNORECASE))
    for least, pattern in (
        (8, r"(?<![A-Za-z0-9+])\+[1-9](?:[ .()-]{0,2}\d){6,14}(?!\d)"),
        (10, r"(?<![A-Za-z0-9+.-])00[1-9](?:[ .()-]{0,2}\d){7,13}(?!\d)"),
        (11, r"(?<![A-Za-z0-9.-])(?:86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![A-Za-z0-9]|[.-]\d)"),
        (10, r"(?<![A-Za-z0-9.-])(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4}(?![A-Za-z0-9]|[.-]\d)"),
        (
            9,
            r"(?<![A-Za-z0-9.-])(?!\d\d[./-]\d\d[./-](?:19|20)\d\d)\(?0[1-9]\d{0,3}(?:\)|[ ./-])[ ]?\d{2,8}"
            r"(?:[ ./-]\d{2,4}){0,4}(?![A-Za-z0-9]|[.-]\d)",
        ),
        (
            7,
            r"(?:(?<![A-Za-z])(?:tel|telephone|phone|mobile|cell|call|fax|whatsapp)(?![A-Za-z])|电话|手机号?|微信号?)"
            r"[ .:：#]{0,3}(?:number|no|号码)?[ .:：#是]{0,3}(?P<number>\d(?:[ .()-]{0,2}\d){6,14})(?![A-Za-z0-9])",  # noqa: RUF001
        ),
    )
)


def scrub(text: str) -> tuple[str, Counter[str]]:
    """The text with placeholders for what was found, and how often each was put in."""
    found: Counter[str] = Counter()
    for placeholder, spans in ((MAIL, _mails), (CARD, _cards), (PHONE, _phones)):
        text, count = _replaced(text, placeholder, spans(text.translate(_WIDE)))
        found[placeholder] += count
    return text, +found


def _mails(plain: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _MAIL.finditer(plain)) if "@" in plain else iter(())


def _cards(plain: str) -> Iterator[tuple[int, int]]:
    for run in _DIGITS.finditer(plain):
        groups = [(match.start(), match.end(), match[0]) for match in re.finditer(r"\d+", run[0])]
        for first in range(len(groups)):  # what stands before or after, such as the month it ends, is in the same run
            parts: list[str] = []
            for _, stop, part in groups[first : first + _LONGEST_CARD]:
                parts.append(part)
                digits = "".join(parts)
                if len(digits) > _LONGEST_CARD:
                    break
                written = run[0][groups[first][0] : stop]
                if _ISSUERS.fullmatch(digits) and _luhn(digits) and _divided([*map(len, parts)], written):
                    yield run.start() + groups[first][0], run.start() + stop


def _divided(lengths: list[int], written: str) -> bool:
    """Whether a card may be written in groups of these lengths: even ones, the last maybe shorter, or its issuer's.
    With dots or two spaces, which prices and columns of them have, even ones are of four."""
    if ("." in written or "  " in written) and lengths[0] != 4:
        return False
    *others, last = lengths
    even = len(set(others)) < 2 and all(2 <= length >= last for length in others)
    return even or lengths in ([4, 6, 5], [4, 6, 4], [6, 10], [6, 13])


def _phones(plain: str) -> Iterator[tuple[int, int]]:
    spans = []
    for least, pattern in _PHONES:
        for match in pattern.finditer(plain):
            number = match[match.lastgroup or 0]
            if sum(letter.isdigit() for letter in number) >= least and not _code_of_goods(number):
                spans.append(match.span(match.lastgroup or 0))
    return iter(sorted(spans))


def _replaced(text: str, placeholder: str, spans: Iterator[tuple[int, int]]) -> tuple[str, int]:
    parts, end, count = [], 0, 0
    for start, stop in spans:
        if start >= end:
            parts += [text[end:start], placeholder]
            end, count = stop, count + 1
    return ("".join(parts) + text[end:], count) if count else (text, 0)


def _luhn(digits: str) -> bool:
    """Whether the last digit checks the others."""
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _code_of_goods(text: str) -> bool:
    """Whether it is a GTIN: undivided digits, the last of which checks the others with weights 3 and 1."""
    if not (text.isdigit() and len(text) in (8, 12, 13, 14)):
        return False
    return sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(text))) % 10 == 0
