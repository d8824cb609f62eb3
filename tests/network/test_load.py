"""What the tier's measurements rest on: a time without an answer is counted, whether it ends or not."""

from pathlib import Path

import pytest

from scripts.localcloud.processes import Processes
from scripts.localcloud.vpn.place import Place
from tests.network.load import Attempt, Load


def load(tmp_path: Path, answers: dict[str, list[float]], ended: float) -> Load:
    place = Place(processes=Processes(tmp_path, tmp_path), namespace=str, files=tmp_path, sockets=tmp_path)
    made = Load(place, "pods", list(answers), tmp_path / "load")
    made.attempts = [
        Attempt(began=time - 0.1, ended=time, pair=pair, request=number, answered=True)
        for pair, times in answers.items()
        for number, time in enumerate(times)
    ]
    made.ended = ended
    return made


def test_the_longest_time_without_an_answer_is_that_of_the_worst_pair(tmp_path: Path) -> None:
    made = load(tmp_path, {"a-b": [1.0, 2.0, 3.0], "c-d": [1.0, 2.5, 3.0]}, 3.5)
    assert made.gap() == 1.5
    assert made.gap("a-b") == 1.0


def test_an_outage_that_has_not_ended_counts_to_the_end(tmp_path: Path) -> None:
    assert load(tmp_path, {"a-b": [1.0, 2.0, 3.0], "c-d": [1.0, 2.0]}, 30.0).gap() == 28.0


def test_a_pair_that_was_never_answered_is_no_pair_without_a_gap(tmp_path: Path) -> None:
    made = load(tmp_path, {"a-b": [1.0, 2.0], "c-d": []}, 2.5)
    with pytest.raises(AssertionError, match="c-d was never answered"):
        made.gap()
