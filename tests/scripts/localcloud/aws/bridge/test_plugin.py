"""A provider process never outlives the bridge, and a bad start says what was seen."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.localcloud.aws.bridge.binary import Binary
from scripts.localcloud.aws.bridge.plugin import Plugin

ROOT = Path(__file__).parents[5]
START = """
import sys, time
from pathlib import Path
from scripts.localcloud.aws.bridge.binary import Binary
from scripts.localcloud.aws.bridge.plugin import Plugin
Plugin(Binary(version=(5, 100, 0), path=Path(sys.argv[1]))).channel()
print("started", flush=True)
time.sleep(60)
"""


def provider(folder: Path, greeting: str) -> Binary:
    """A stand-in that greets like a provider, notes its process id and waits."""
    script = folder / "terraform-provider-aws"
    script.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\necho '{greeting}'\nexec sleep 60\n")
    script.chmod(0o755)
    return Binary(version=(5, 100, 0), path=script)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        os.sched_yield()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_provider_dies_with_the_bridge_however_it_dies(tmp_path: Path, number: signal.Signals) -> None:
    binary = provider(tmp_path, "1|5|unix|/nowhere|grpc|")
    command = [sys.executable, "-c", START, str(binary.path)]
    with subprocess.Popen(command, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True) as bridge:
        assert bridge.stdout is not None
        assert bridge.stdout.readline() == "started\n"
        pid = int((tmp_path / "pid").read_text())
        assert alive(pid)

        bridge.send_signal(number)

    wait_until_gone(pid)


def test_stop_ends_the_provider(tmp_path: Path) -> None:
    plugin = Plugin(provider(tmp_path, "1|5|unix|/nowhere|grpc|"))
    plugin.channel().close()

    plugin.stop()

    assert not alive(int((tmp_path / "pid").read_text()))


def test_another_protocol_is_refused_with_what_was_said(tmp_path: Path) -> None:
    plugin = Plugin(provider(tmp_path, "1|6|unix|/nowhere|grpc|"))

    with pytest.raises(RuntimeError, match=r"1\|6\|unix"):
        plugin.channel()
    plugin.stop()
