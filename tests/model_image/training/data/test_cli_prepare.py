"""The verb: a revision on stdout, everything else on stderr, and an exit code that says who is at fault."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_image.training.cli_prepare import main
from model_image.training.dataset import Dataset


def _words(shop: Any, *more: str) -> list[str]:
    return ["--catalogue", shop.inputs["products"], "--target", str(shop.folder / "prepared"), *more]


def test_the_revision_is_printed_and_the_folder_opens(shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shop.products().table(
        "events",
        "kunde product_id time",
        ("u1", "p1", "2026-01-01"),
        ("u1", "p2", "2026-01-03"),
        ("", "p2", "2026-01-03"),
    )
    key = shop.folder / "users.key"
    assert main(["--new-key", str(key)]) == 0
    more = ["--events", shop.inputs["events"], "--key-file", str(key), "--column", "events.user_id=kunde"]
    assert main(_words(shop, *more, "--now", "2026-02-01", "--hold-fold", "2")) == 0
    printed = capsys.readouterr()
    prepared = Dataset(shop.folder / "prepared").prepared
    assert printed.out == f"{prepared.revision}\n"
    assert "events: 3 rows read, 2 kept\n  put aside: 1 anonymous\n" in printed.err
    assert key.read_text() not in printed.err
    assert prepared.created == "2026-02-01T00:00:00+00:00"
    assert main(_words(shop)) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--column", "title=name"], "--column: 'title=name', expected TABLE.OURS=THEIRS"),
        (["--shard", "x"], "--shard: 'x', expected I/N"),
        (["--cut", "soon"], "time: 'soon', expected ISO 8601"),
        (["--key-file", "absent.key"], "absent.key: no key"),
        (["--memory", "much"], "memory: 'much'"),
        (["--column", "catalogue.title=name"], "no column 'name'"),
    ],
)
def test_bad_input_is_told_with_exit_code_2(shop: Any, capsys: Any, more: list[str], told: str) -> None:
    assert main(_words(shop.products(), *more)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err


def test_help_loads_no_engine() -> None:
    code = "import sys; from model_image.training.cli_prepare import main\n"
    code += "try: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'duckdb', 'pyarrow', 'torch', 'numpy'} & set(sys.modules), 'loaded'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert "examples:" in done.stdout
