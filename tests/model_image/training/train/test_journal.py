"""What a run says: a line per step in a file, a bar on a terminal, plain lines elsewhere, nothing on other ranks."""

import io
from pathlib import Path

from model_image.training.train.journal import LOG, Journal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def tell(journal: Journal, *steps: int) -> None:
    for step in steps:
        journal.step(step, loss=0.5, rate=1e-3, speed=123.4, metric=0.75 if step == 2 else None)


def steps(folder: Path) -> list[str]:
    return [line.split(",")[0] for line in (folder / LOG).read_text().splitlines()]


def test_a_terminal_has_a_bar(tmp_path: Path) -> None:
    out = Terminal()
    with Journal(tmp_path, steps=3, metric="mae", out=out).open(0) as journal:
        journal.note("before")
        tell(journal, 1, 2, 3)
    assert "3/3" in out.getvalue()
    assert "before" in out.getvalue()
    assert "mae 0.75" in out.getvalue()


def test_elsewhere_there_are_lines(tmp_path: Path) -> None:
    out = io.StringIO()
    with Journal(tmp_path, steps=3, metric="mae", out=out).open(0) as journal:
        tell(journal, 1, 2, 3)
    assert out.getvalue().splitlines() == [
        "step 2 of 3: loss 0.5000, 123 tokens/s mae 0.75",
        "step 3 of 3: loss 0.5000, 123 tokens/s mae 0.75",
    ]
    assert (tmp_path / LOG).read_text().splitlines()[2] == "2,0.5,0.001,123,0.75"


def test_lines_behind_the_checkpoint_and_a_torn_one_go(tmp_path: Path) -> None:
    with Journal(tmp_path, steps=9, metric="mae", out=io.StringIO()).open(0) as journal:
        tell(journal, 1, 2, 3, 4)
    with (tmp_path / LOG).open("a") as file:
        file.write("5,0.")
    with Journal(tmp_path, steps=9, metric="mae", out=io.StringIO()).open(3) as journal:
        tell(journal, 4)
    assert steps(tmp_path) == ["step", "1", "2", "3", "4"]


def test_another_rank_says_and_writes_nothing(tmp_path: Path) -> None:
    out = io.StringIO()
    with Journal(tmp_path, steps=3, metric="mae", speaks=False, out=out).open(0) as journal:
        journal.note("anything")
        tell(journal, 1, 2, 3)
    assert out.getvalue() == ""
    assert not list(tmp_path.iterdir())
