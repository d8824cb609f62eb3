from pathlib import Path

import pytest

from infra.onprem.gateway_agent import children
from tests.infra.onprem.gateway_agent.programs import Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """The agent asks stand-ins, and starts again at once what ended."""
    made = Programs(tmp_path / "programs")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"), prepend=":")
    monkeypatch.setattr(children, "PAUSE_SECONDS", 0.0)
    return made
