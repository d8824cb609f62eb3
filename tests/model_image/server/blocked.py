"""A model that waits before it computes, until a test lets it."""

import threading
from typing import Any

import pytest


class Blocked:
    """`run` of `model` waits for `open`; `computed` counts the sequences that it got."""

    def __init__(self, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.computed = 0
        self._entered, self._gate = threading.Event(), threading.Event()
        self._run = model.run
        monkeypatch.setattr(model, "run", self._wait_and_run)

    def open(self) -> None:
        self._gate.set()

    def wait_until_entered(self) -> None:
        assert self._entered.wait(20)

    def _wait_and_run(self, sequences: Any) -> Any:
        self.computed += len(sequences)
        self._entered.set()
        assert self._gate.wait(20)
        return self._run(sequences)
