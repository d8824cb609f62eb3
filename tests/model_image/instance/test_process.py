"""The agent as a process: its exit codes, its signals, its help, and what it does not load."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_image.instance.config import OPTIONAL, REQUIRED

ROOT = Path(__file__).parents[3]
WORDS = {
    "INSTANCE_METRICS": "HybridServing/test",
    "INSTANCE_SLOT": "stable",
    "INSTANCE_LAUNCH_HOOK": "ready",
    "INSTANCE_TERMINATION_HOOK": "drain",
    "AWS_REGION": "eu-central-1",
}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "model_image.instance", *words]


def environment(**words: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **WORDS, **words}


def run(*words: str, **changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=ROOT, env=environment(**changed), capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def far_ends(imds: Any, server: Any) -> dict[str, str]:
    """Words that lead to an instance's metadata and server in this process, and to no AWS at all."""
    imds.be("i-1")
    return {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.http.address,
        "INSTANCE_SERVER": server.http.address,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }


def test_the_end_of_the_instance_is_exit_code_0(far_ends: dict[str, str], imds: Any) -> None:
    imds.terminate()
    done = run("watch", **far_ends)
    assert (done.returncode, done.stdout) == (0, "")
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["the group ends this instance"]


@pytest.mark.parametrize("verb", ["ready", "watch"])
def test_sigterm_stops_it_cleanly_and_is_told_from_the_instances_end(
    verb: str, far_ends: dict[str, str], imds: Any
) -> None:
    with subprocess.Popen(
        command(verb), cwd=ROOT, env=environment(**far_ends), stderr=subprocess.PIPE, text=True
    ) as agent:
        assert imds.http.asked.wait(20)
        agent.send_signal(signal.SIGTERM)
        _, logged = agent.communicate(timeout=20)
    assert agent.returncode == 143
    assert json.loads(logged.splitlines()[-1])["event"] == "told to stop"
    assert "Traceback" not in logged


@pytest.mark.parametrize(("words", "code"), [((), 2), (("begin",), 2), (("ready", "watch"), 2), (("--help",), 0)])
def test_what_is_not_one_verb_is_refused_and_help_is_help(words: tuple[str, ...], code: int) -> None:
    assert run(*words).returncode == code


def test_help_names_every_verb_every_word_and_every_exit_code() -> None:
    told = run("--help").stdout
    words = ("ready", "watch", "gone", *REQUIRED, *OPTIONAL, "AWS_REGION", "143", *OPTIONAL.values())
    assert [word for word in words if word not in told] == []


def test_a_bad_word_is_exit_code_2_with_its_name() -> None:
    done = run("watch", INSTANCE_SLOT="blue")
    assert (done.returncode, done.stderr) == (2, "INSTANCE_SLOT: 'blue', expected one of stable, canary\n")


def test_the_agent_loads_neither_torch_nor_a_web_server() -> None:
    code = (
        "import sys, model_image.instance.__main__; "
        "print(sorted({'torch', 'numpy', 'transformers', 'starlette', 'uvicorn', 'prometheus_client', 'boto3'} & "
        "set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
