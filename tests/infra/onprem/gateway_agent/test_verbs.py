"""What probes and people ask a running gateway, through the command that they run."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.onprem.gateway_agent import serve
from infra.onprem.gateway_agent.reasons import Status

PACKAGE = Path(__file__).resolve().parents[4] / "infra" / "onprem"
UP = Status(name="tunnel1", peer="203.0.113.11", ipsec=True, bgp=True, routes=1, reason="")
DOWN = Status(name="tunnel2", peer="203.0.113.12", ipsec=False, bgp=False, routes=0, reason="no answer")


def ask(verb: str, run: Path) -> tuple[int, str]:
    # As in the image: the package alone, and no import from the rest of the repository.
    argv = [sys.executable, "-m", "gateway_agent", verb, "--run", str(run)]
    done = subprocess.run(argv, cwd=PACKAGE, text=True, capture_output=True, timeout=30)
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("tunnels", "codes"),
    [
        ([UP, UP], {"status": 0, "ready": 0, "alive": 0}),
        ([UP, DOWN], {"status": 1, "ready": 0, "alive": 0}),
        ([DOWN, DOWN], {"status": 2, "ready": 2, "alive": 0}),
    ],
)
def test_one_tunnel_is_enough_to_be_ready_and_none_to_be_alive(
    tmp_path: Path, tunnels: list[Status], codes: dict[str, int]
) -> None:
    for verb, code in codes.items():
        serve.write(tmp_path, tunnels, time.time())
        assert ask(verb, tmp_path)[0] == code, verb


def test_the_answer_names_each_tunnel_and_its_reason(tmp_path: Path) -> None:
    serve.write(tmp_path, [UP, DOWN], time.time())
    assert ask("ready", tmp_path)[1] == "tunnel1 to 203.0.113.11: up\ntunnel2 to 203.0.113.12: down: no answer\n"


@pytest.mark.parametrize("verb", ["status", "ready", "alive"])
def test_an_agent_that_hangs_or_never_ran_is_none_of_them(tmp_path: Path, verb: str) -> None:
    assert ask(verb, tmp_path)[0] == 2
    serve.write(tmp_path, [UP], time.time() - 2 * serve.STALE_SECONDS)
    code, told = ask(verb, tmp_path)
    assert code == 2
    assert "the agent does not run" in told
