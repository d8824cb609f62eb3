"""The verb: a revision on stdout, everything else on stderr, and an exit code that says who is at fault."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_image.training.cli_prepare import main
from model_image.training.cli_prepare_parser import TABLES
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
        (["--shard", "0/2", "--model", "."], "model: . is given to a shard"),
        (["--column", "catalogue.title=name"], "no column 'name'"),
    ],
)
def test_bad_input_is_told_with_exit_code_2(shop: Any, capsys: Any, more: list[str], told: str) -> None:
    assert main(_words(shop.products(), *more)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err


def test_shards_of_an_indexed_job_are_merged(shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    days = [(f"u{at % 5}", f"p{at % 6}", f"2026-01-{1 + at // 5:02}") for at in range(60)]
    shop.products().table("events", "user_id product_id time", *days, ("", "p1", "2026-01-01"))
    key = shop.folder / "users.key"
    main(["--new-key", str(key)])
    made = ["--events", shop.inputs["events"], "--key-file", str(key), "--now", "2026-02-01", "--catalogue"]
    made += [shop.inputs["products"], "--target"]
    assert main([*made, str(shop.folder / "whole")]) == 0
    shards = [str(shop.folder / str(index)) for index in range(3)]
    for index, folder in enumerate(shards):
        assert main([*made, folder, "--shard", f"{index}/3"]) == 0
    assert "shard 2 of 3: learnt from and measured on when --merge has put all 3 together" in capsys.readouterr().err
    merged = shop.folder / "merged"
    assert main(["--merge", *shards, "--target", str(merged), "--memory", "1GB"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{Dataset(shop.folder / 'whole').prepared.revision}\n"
    assert f"shard 1 of 3: {shards[1]}, as it was prepared\n" in printed.err
    assert "events: 61 rows read, 60 kept\n  put aside: 1 anonymous\ncut: " in printed.err
    assert (merged / "prepared.json").read_bytes() == (shop.folder / "whole" / "prepared.json").read_bytes()
    assert main(["--merge", *shards[:2], "--target", str(shop.folder / "again")]) == 2
    assert "error: shard 2 of 3: not among the 2 folders" in capsys.readouterr().err
    assert not (shop.folder / "again").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--seed", "0"], "--seed: 0 is given with --merge, which has it from the shards; leave it out"),
        (["--key-file", "users.key"], "--key-file: users.key is given with --merge"),
        (["--column", "a.b=c"], "--column: ['a.b=c'] is given with --merge"),
        (["--shard", "0/2"], "--shard: 0/2 is given with --merge"),
        (["--memory", "much"], "memory: 'much'"),
        (["--model", "absent"], "model: absent is no folder"),
    ],
)
def test_a_merge_takes_its_settings_from_the_shards(shop: Any, capsys: Any, more: list[str], told: str) -> None:
    shop.products()
    folder = shop.folder_of(key=None)
    assert main(["--merge", str(folder), "--target", str(shop.folder / "merged"), *more]) == 2
    assert told in capsys.readouterr().err


_VALUES = [f"--{name}" for name in (*TABLES, "target", "column", "key-file", "new-key", "action", "purchase", "cut",
           "model", "shard", "merge", "now", "memory", "seed", "hold-fold", "most-refused")]  # fmt: skip


@pytest.mark.parametrize("given", ["", " "])
@pytest.mark.parametrize("option", _VALUES)
def test_an_empty_value_as_of_an_unset_variable_is_refused(shop: Any, capsys: Any, option: str, given: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(_words(shop.products(), option, given))
    assert ended.value.code == 2
    assert f"error: argument {option}: " in (told := capsys.readouterr().err)
    assert f"{given!r}" in told
    assert not (shop.folder / "prepared").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--merge", "a", "b", "--target", "t"], "--target: t is given with --new-key"),
        (["--merge", "a", "b"], "--merge: a b is given with --new-key, which does nothing else; leave one of them out"),
        (["--seed", "0"], "--seed: 0 is given with --new-key"),
    ],
)
def test_a_new_key_is_made_alone(tmp_path: Path, capsys: Any, more: list[str], told: str) -> None:
    assert main(["--new-key", str(tmp_path / "k"), *more]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "k").exists()


def test_help_loads_no_engine() -> None:
    code = "import sys; from model_image.training.cli_prepare import main\n"
    code += "try: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'duckdb', 'pyarrow', 'torch', 'numpy'} & set(sys.modules), 'loaded'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert "examples:" in done.stdout
