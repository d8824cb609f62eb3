import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.signals.query import read_query
from model_image.signals.words import singular, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Women's Boots", ["women", "boot"]),
        ("WH-1000XM4", ["wh", "1000xm4", "wh1000xm4"]),
        ("t-shirt", ["t", "shirt"]),
        ("Café \uff21\uff22\uff23", ["cafe", "abc"]),
        ("手机壳 Nike", ["手", "机", "壳", "手机", "机壳", "nike"]),
        ("がぎ", ["が", "ぎ", "がぎ"]),
        ("휴대폰x1", ["휴", "대", "폰", "휴대", "대폰", "x1"]),
        ("1.75 1/2", ["1", "75", "175", "1", "2", "12"]),
        ("", []),
        ("— ' _ !", []),
    ],
)
def test_mixed_texts_are_cut_into_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_hold_letters_and_digits_alone_and_no_capitals(text: str) -> None:
    for word in words(text):
        assert word
        assert all(character.isalnum() for character in word)
        assert word == word.casefold() or unicodedata.normalize("NFKC", word.casefold()) == word


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_case_does_not_matter(text: str) -> None:
    assert words(text.casefold()) == words(text)


@given(st.text(), st.text())
def test_words_do_not_reach_over_a_space(first: str, second: str) -> None:
    assert words(f"{first} {second}") == words(first) + words(second)


@given(st.text(alphabet="abcdeishxz", max_size=8))
def test_the_singular_of_a_singular_is_itself(word: str) -> None:
    assert singular(singular(word)) == singular(word)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("glasses", "glass"), ("boxes", "box"), ("berries", "berry"), ("bus", "bus"), ("dress", "dress"), ("gps", "gps")],
)
def test_plurals_of_english(word: str, expected: str) -> None:
    assert singular(word) == expected


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("wall lamp without cords", ["wall", "lamp"], ["cord"]),
        ("lampe Sans fil", ["lampe"], ["fil"]),
        ("lamp (NO cord)", ["lamp"], ["cord"]),
        ("台灯 without 红色", words("台灯"), words("红色")),
    ],
)
def test_what_a_query_does_not_want_is_told_apart(text: str, wanted: list[str], unwanted: list[str]) -> None:
    assert read_query(text) == (wanted, unwanted)


@pytest.mark.parametrize(
    "text",
    [
        "no show socks", "belts without", "lamp", "", "— without cord",
        "women's no 7 cream", "chanel no. 5 perfume", "the sin city poster", "pan non-stick", "san diego shirt",
    ],
)  # fmt: skip
def test_a_query_in_which_such_a_word_denies_nothing_is_wanted_whole(text: str) -> None:
    assert read_query(text) == (words(text), [])
