"""A prepared folder is there whole or not at all, whatever ends the run."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_image.training.data.errors import InputError, RunError
from model_image.training.data.workfolder import work_folder

_HOLD = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
from model_image.training.data.workfolder import work_folder
with work_folder(pathlib.Path(sys.argv[1])) as work:
    (work.result / "half").write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


def _held(target: Path) -> subprocess.Popen[str]:
    run = subprocess.Popen([sys.executable, "-c", _HOLD, str(target)], stdin=-1, stdout=-1, text=True, cwd=Path.cwd())
    assert run.stdout
    assert run.stdout.readline() == "ready\n"
    return run


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_at_the_end_alone(tmp_path: Path) -> None:
    with work_folder(tmp_path / "t") as work:
        (work.result / "sub").mkdir()
        (work.result / "sub" / "file").write_text("x")
        (work.scratch / "spilt").write_text("x")
        assert _names(tmp_path) == [".t.preparing"]
    assert _names(tmp_path) == ["t"]
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["t", "t/sub", "t/sub/file"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), work_folder(tmp_path / "t") as work:
        (work.result / "half").symlink_to("absent") or (work.result / "half").read_bytes()
    assert _names(tmp_path) == []


def test_a_killed_run_leaves_no_target_and_the_next_removes_what_it_left(tmp_path: Path) -> None:
    with _held(tmp_path / "t") as run:
        run.kill()
    assert _names(tmp_path) == [".t.preparing"]
    with work_folder(tmp_path / "t") as work:
        assert _names(work.result) == []
    assert _names(tmp_path) == ["t"]


def test_two_runs_of_one_target_do_not_meet(tmp_path: Path) -> None:
    with _held(tmp_path / "t") as run:
        with pytest.raises(RunError, match="another run is at work"), work_folder(tmp_path / "t"):
            pass
        with work_folder(tmp_path / "other"):
            pass
        run.communicate("")
    assert run.returncode == 0
    assert _names(tmp_path / "t") == ["half"]


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    with pytest.raises(InputError, match="t: is there already"), work_folder(tmp_path / "t"):
        pass
    with pytest.raises(InputError, match="absent: not a folder"), work_folder(tmp_path / "absent" / "t"):
        pass


def test_a_disk_that_fills_is_told_and_leaves_nothing(shop: Any) -> None:
    """A limit on the size of files stands for the full disk."""
    draw = (f"{at * 7919 % 100_003}" for at in range(30_000))
    shop.products().table(
        "events", "user_id product_id time", *((f"u{at}", "p1", "2026-01-01") for at in draw), ("u", "p1", "2026-01-02")
    )
    shop.folder.joinpath("key").write_bytes(bytes(range(32)))
    shop.folder.joinpath("key").chmod(0o600)
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); "
    limited += "from model_image.training.cli_prepare import main; sys.exit(main(sys.argv[1:]))"
    words = [f"--{name}={shop.inputs[table]}" for name, table in (("catalogue", "products"), ("events", "events"))]
    words += [f"--key-file={shop.folder / 'key'}", f"--target={shop.folder / 'prepared'}"]
    done = subprocess.run([sys.executable, "-c", limited, *words], capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 1, done.stderr
    assert "error: disk: " in done.stderr or "nothing was published" in done.stderr
    assert "Traceback" not in done.stderr
    assert _names(shop.folder) == ["events.csv", "key", "products.csv"]


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    with _held(tmp_path / "t") as run:
        os.kill(run.pid, signal.SIGINT)
    assert _names(tmp_path) == []
