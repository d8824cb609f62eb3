import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from scripts.localcloud.processes import start_time, wait_until
from scripts.localcloud.shell import run
from tests.network import leftovers

pytestmark = pytest.mark.network


def test_what_a_killed_run_left_goes_and_what_a_running_one_has_stays() -> None:
    over = subprocess.Popen(["true"])
    over.wait()
    dead, alive = f"vpn{over.pid}-onprem", leftovers.name("leftovers")
    folder = Path(tempfile.mkdtemp(prefix=f"vpn{over.pid}-", dir=leftovers.FOLDERS))
    (folder / "bird.ctl").touch()
    ours = Path(tempfile.mkdtemp(prefix=leftovers.folder_prefix(), dir=leftovers.FOLDERS))
    for namespace in (dead, alive):
        run(["ip", "netns", "add", namespace])
    inside = [
        subprocess.Popen(["nsenter", f"--net=/run/netns/{namespace}", "sleep", "60"]) for namespace in (dead, alive)
    ]
    try:
        for process, namespace in zip(inside, (dead, alive), strict=True):
            wait_until(lambda p=process, n=namespace: _is_inside(p.pid, n), what="the process is inside", timeout=10)
        leftovers.clear()
        assert inside[0].wait(10) == -9
        assert not Path("/run/netns", dead).exists()
        assert not folder.exists()
        assert start_time(inside[1].pid)
        assert Path("/run/netns", alive).exists()
        assert ours.exists()
    finally:
        for process in inside:
            process.kill()
            process.wait()
        run(["ip", "netns", "delete", alive])
        ours.rmdir()


def _is_inside(pid: int, namespace: str) -> bool:
    return os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(f"/run/netns/{namespace}").st_ino
