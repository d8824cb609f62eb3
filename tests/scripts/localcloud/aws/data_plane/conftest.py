"""A fleet on a machine in memory."""

import os
from pathlib import Path

import pytest

from scripts.localcloud.aws.data_plane import host
from scripts.localcloud.aws.data_plane.instances import Instances
from tests.scripts.localcloud.aws.data_plane.machines import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def fleet(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instances:
    monkeypatch.setattr(host, "SERVER_USER", os.getuid())
    return Instances(tmp_path / "instances", machine, lambda: machine.now)
