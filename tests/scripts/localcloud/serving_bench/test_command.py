"""Options that make no sense are refused before anything is installed or trained."""

import sys

import pytest

from scripts.localcloud import bench
from scripts.localcloud.console import BadInput
from scripts.localcloud.serving_bench.environments import HERE
from scripts.localcloud.serving_bench.names import PEERS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--runs", "0"], "--runs 0"),
        (["--seconds", "0.5"], "--seconds 0.5"),
        (["--seconds", "nan"], "--seconds nan"),
        (["--peers", "infinity", "vllm"], "--peers vllm: unknown; the peers are sentence-transformers"),
        (["--data", "/nowhere"], "--data /nowhere"),
    ],
)
def test_bad_options_are_refused(monkeypatch: pytest.MonkeyPatch, words: list[str], message: str) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "serving", *words])
    with pytest.raises(BadInput, match=message):
        bench.main()


def test_every_package_of_every_peer_is_pinned() -> None:
    files = sorted((HERE / "requirements").glob("*.txt"))
    assert {file.stem for file in files} <= set(PEERS)
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert lines
    assert all("==" in line for line in lines)
