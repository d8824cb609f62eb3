"""Promises of remembered processes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.localcloud.console import UserError
from scripts.localcloud.processes import Processes, start_time, wait_until

STAY = [sys.executable, "-c", "import sys, time; print('up', *sys.argv[1:], flush=True); time.sleep(600)"]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path / "processes", tmp_path / "logs")
    yield made
    made.stop_all()


def test_starting_the_same_command_again_keeps_the_running_process(processes: Processes) -> None:
    assert processes.start("one", STAY) == processes.start("one", STAY)


def test_another_command_under_the_same_name_replaces_the_process(processes: Processes) -> None:
    first = processes.start("one", STAY)
    second = processes.start("one", [*STAY, "changed"])
    assert first != second
    assert start_time(first) is None


def test_another_environment_replaces_the_process(processes: Processes) -> None:
    assert processes.start("one", STAY) != processes.start("one", STAY, env={"A": "1"})


def test_a_second_manager_of_the_same_folder_can_stop_it(processes: Processes) -> None:
    pid = processes.start("one", STAY)
    Processes(processes.folder, processes.logs).stop("one", grace=0)
    assert start_time(pid) is None


def test_a_record_whose_pid_was_reused_never_ends_the_new_owner(processes: Processes) -> None:
    bystander = subprocess.Popen(STAY, stdout=subprocess.DEVNULL)
    try:
        processes.start("one", STAY)
        record = processes.folder / "one.json"
        content = json.loads(record.read_text())
        processes.stop("one")
        record.write_text(json.dumps({**content, "pid": bystander.pid, "started": "1"}))
        assert not processes.alive("one")
        processes.stop("one", grace=0)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_children_of_the_process_end_with_it(processes: Processes, tmp_path: Path) -> None:
    script = "sleep 600 & echo $! > child; wait"
    processes.start("parent", ["sh", "-c", script], cwd=tmp_path)
    child = int(wait_until(lambda: (tmp_path / "child").read_text().strip(), what="child", timeout=10))
    processes.stop("parent")
    wait_until(lambda: start_time(child) is None, what="the child's end", timeout=10)


def test_a_process_that_ignores_sigterm_is_killed(processes: Processes) -> None:
    pid = processes.start("deaf", ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"])
    wait_until(lambda: "up" in processes.log("deaf").read_text(), what="start", timeout=10)
    processes.stop("deaf", grace=0.2)
    assert start_time(pid) is None


def test_a_process_whose_record_was_never_written_ends_with_the_others(processes: Processes) -> None:
    pid = processes.start("lost", STAY)
    (processes.folder / "lost.json").unlink()
    processes.stop_all()
    wait_until(lambda: start_time(pid) is None, what="the process's end", timeout=10)


def test_stopping_an_unknown_name_is_fine(processes: Processes) -> None:
    processes.stop("nobody")


def test_waiting_in_vain_says_for_what_and_shows_the_log(processes: Processes) -> None:
    processes.start("one", STAY)
    wait_until(lambda: "up" in processes.log("one").read_text(), what="start", timeout=10)
    with pytest.raises(UserError, match=r"the answer: not there after 0 s(.|\n)*up"):
        wait_until(lambda: False, what="the answer", timeout=0.3, log=processes.log("one"))


def test_start_time_tells_a_dead_pid_from_a_live_one() -> None:
    assert start_time(os.getpid())
    assert start_time(2**22 + 1) is None
