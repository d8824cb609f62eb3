"""The Indexed Job that the help shows does, as typed, what it says."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from model_image.training.cli_prepare import main
from model_image.training.cli_prepare_parser import parser
from model_image.training.dataset import PREPARED


def _example() -> tuple[str, str]:
    """What every pod runs, and what is run after the Job."""
    told = parser().format_help().partition("one more:\n")[2]
    pods, merge, _ = told.partition("scripts/prepare --merge shards/* --target prepared\n")
    return pods, merge


def test_the_indexed_job_of_the_help_runs_as_typed(shop: Any) -> None:
    pods, merge = _example()
    folder: Path = shop.folder
    ids = [f"p{at}" for at in range(6)]
    pyarrow.parquet.write_table(pyarrow.table({"product_id": ids, "title": ids}), folder / "items.parquet")
    (folder / "events").mkdir()
    days = [f"u{at % 5},p{at % 6},2026-01-{1 + at // 5:02}" for at in range(60)]
    (folder / "events" / "a.csv").write_text("\n".join(["user_id,product_id,time", *days, ""]))
    assert main(["--new-key", str(folder / "users.key")]) == 0
    (folder / "scripts").mkdir()
    verb = folder / "scripts" / "prepare"
    code = "import sys; from model_image.training.cli_prepare import main; sys.exit(main())"
    verb.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n")
    verb.chmod(0o755)
    path = {"PYTHONPATH": str(Path.cwd())}
    runs = [
        subprocess.Popen(["sh", "-ec", pods], cwd=folder, env=os.environ | path | {"JOB_COMPLETION_INDEX": str(index)})
        for index in range(4)
    ]
    assert [run.wait() for run in runs] == [0] * 4
    subprocess.run(["sh", "-ec", merge], cwd=folder, env=os.environ | path, check=True)
    words = [f"--catalogue={folder / 'items.parquet'}", f"--events={folder / 'events'}", "--hold-fold=0"]
    now = pods.partition("--now ")[2].split()[0]
    assert main([*words, f"--key-file={folder / 'users.key'}", f"--now={now}", f"--target={folder / 'whole'}"]) == 0
    assert (folder / "prepared" / PREPARED).read_bytes() == (folder / "whole" / PREPARED).read_bytes()
