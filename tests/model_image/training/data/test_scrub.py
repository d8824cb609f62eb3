"""Mail addresses, phone and card numbers go; codes, model numbers and every script stay."""

# ruff: noqa: RUF001 - full-width letters are what is tested

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.training.data.scrub import CARD, MAIL, PHONE, scrub

_WORDS = st.sampled_from(["红色连衣裙", "usb-c cable", "送给妈妈", "größe 42", "iPhone 15 128GB", "客服", "ship to"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mail me at zhang.wei+x@mail.qq.com please", f"mail me at {MAIL} please"),
        ("联系我zhang@qq.com谢谢", f"联系我{MAIL}谢谢"),
        ("zhang＠qq．com", MAIL),
        ("call +49 (0)30 1234-5678 now", f"call {PHONE} now"),
        ("0086 138 0013 8000", PHONE),
        ("电话13800138000谢谢", f"电话{PHONE}谢谢"),
        ("手机号：１３８００１３８０００", f"手机号：{PHONE}"),
        ("138-0013-8000", PHONE),
        ("010-12345678", PHONE),
        ("(415) 555-2671 or 415-555-2671", f"{PHONE} or {PHONE}"),
        ("phone: 5552671", f"phone: {PHONE}"),
        ("07700 900123", PHONE),
        ("01 44 55 66 77", PHONE),
        ("4111 1111 1111 1111 12/27", f"{CARD} 12/27"),
        ("卡号4111111111111111", f"卡号{CARD}"),
        ("3782 822463 10005", CARD),
        ("jane@münchen.de", MAIL),
        ("an jürgen.groß@web.de bitte", f"an {MAIL} bitte"),
        ("4111  1111  1111  1111", CARD),
        ("4111.1111.1111.1111", CARD),
    ],
)
def test_what_tells_who_somebody_is_is_replaced(text: str, left: str) -> None:
    assert scrub(text)[0] == left


@pytest.mark.parametrize(
    "text",
    [
        "iPhone 15 128GB",
        "红色连衣裙 2026 新款 M",
        "5901234123457",  # EAN-13
        "96385074",  # EAN-8
        "036000291452",  # UPC-A
        "00036000291452",  # GTIN-14
        "phone case 5901234123457",
        "phone 15 pro max 256",
        "WH-1000XM4 headphones",
        "B07GXYMCMV",
        "LEGO 10261 4124 pieces",
        "978-3-16-148410-0",
        "1920x1080 144hz 27 inch",
        "4111111111111112",  # the check digit is wrong
        "SKU4111111111111111X",
        "2026-08-01 12:30",
        "01/02/2023 12:30",
        "100 200 300 4000 lumens",
        "0.5 mm 0.75 mm 1.25 mm",
        "c++11 @ home",
        "1 234 567,89",
        "1234567890",
        "C++ +5 -3",
        "call of duty 2",
        "41.11 11.11 11.11 11.11",  # prices
        "1.234.567.890.123.456",
        "SKU.4111.1111.1111.1111X",
    ],
)
def test_codes_and_model_numbers_stay(text: str) -> None:
    assert scrub(text) == (text, {})


def _with_check(digits: str) -> str:
    total = sum((2 * int(d) - 9 * (2 * int(d) > 9)) if at % 2 == 0 else int(d) for at, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


@given(_WORDS, st.from_regex(r"[45][1-5][0-9]{13}", fullmatch=True), st.sampled_from(["", " ", "-"]), _WORDS)
def test_every_card_with_its_check_digit_goes_and_the_words_around_it_stay(
    before: str, digits: str, divider: str, after: str
) -> None:
    card = _with_check(digits)
    shown = divider.join(card[at : at + 4] for at in range(0, 16, 4))
    assert scrub(f"{before} {shown} {after}") == (f"{before} {CARD} {after}", {CARD: 1})
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert CARD not in scrub(f"{before} {wrong} {after}")[0]


@given(_WORDS, st.from_regex(r"[a-z][a-z0-9._]{0,20}@[a-z0-9]{1,10}\.(com|cn|co\.uk)", fullmatch=True), _WORDS)
def test_every_address_goes(before: str, mail: str, after: str) -> None:
    assert scrub(f"{before} {mail} {after}") == (f"{before} {MAIL} {after}", {MAIL: 1})


@given(_WORDS, st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), _WORDS)
def test_every_chinese_mobile_goes(before: str, number: str, after: str) -> None:
    assert scrub(f"{before}，{number}，{after}") == (f"{before}，{PHONE}，{after}", {PHONE: 1})


@given(st.text(max_size=200))
def test_what_was_scrubbed_is_not_changed_again(text: str) -> None:
    once, _ = scrub(text)
    assert scrub(once) == (once, {})


@given(st.text(st.characters(exclude_categories=["Nd"], exclude_characters="@＠"), max_size=200))
def test_a_text_without_digits_and_at_signs_stays_as_it_is(text: str) -> None:
    assert scrub(text) == (text, {})


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "1 " * 50_000, "1" * 100_000, "a@" * 50_000, "+1-" * 33_000, "电话 " * 30_000]
)
def test_no_text_makes_the_patterns_run_for_hours(text: str) -> None:
    assert len(scrub(text)[0]) <= len(text) * 4
