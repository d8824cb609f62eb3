"""What a model that reads texts has to beat."""

import numpy as np
import pytest

from model_image.training.evaluate.baselines_tasks import COMMONEST, MEDIAN, WORDS, task_baselines


def test_words_tell_labels_apart_in_any_script_and_the_commonest_reads_nothing() -> None:
    texts = ["a good shoe", "a good lamp", "bad shoe", "好的台灯", "差的台灯"] * 4
    truth = ["good", "good", "bad", "good", "bad"] * 4
    found = task_baselines("classify", texts, truth, ["good hat", "bad hat", "差的鞋"])
    assert found == {COMMONEST: ["good"] * 3, WORDS: ["good", "bad", "bad"]}


def test_words_tell_numbers_apart_and_the_median_reads_nothing() -> None:
    random = np.random.default_rng(0)
    texts = [f"{kind} {at}" for at, kind in enumerate(random.choice(["cheap", "dear"], 60).tolist())]
    truth = [10.0 if text.startswith("cheap") else 90.0 for text in texts]
    found = task_baselines("regress", texts, truth, ["cheap", "dear"])
    assert found[MEDIAN] == [np.median(truth)] * 2
    cheap, dear = found[WORDS]
    assert cheap < 20 < 80 < dear


@pytest.mark.parametrize("head", ["classify", "regress"])
def test_texts_without_a_word_and_one_label_alone_are_no_error(head: str) -> None:
    truth = ["a", "a"] if head == "classify" else [1.0, 1.0]
    assert all(said == truth[:1] for said in task_baselines(head, ["", "!"], truth, ["?"]).values())


def test_of_equally_frequent_labels_the_first_by_name() -> None:
    assert task_baselines("classify", ["x", "y"], ["b", "a"], ["z"])[COMMONEST] == ["a"]
