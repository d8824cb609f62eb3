"""What every tier shares: options, the running local cloud, and the rule that nothing is skipped in silence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError

_MEASURED: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", type=Path, metavar="DIR", help="real shop data; the tests that want it skip without it")
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails, one that wants --data excepted")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes the shared local cloud down comes last."""
    items.sort(key=lambda item: item.get_closest_marker("destroys") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
    report: pytest.TestReport = yield
    wants_data = "data_dir" in getattr(item, "fixturenames", ()) and not item.config.getoption("--data")
    if report.skipped and item.config.getoption("--no-skips") and not wants_data:
        report.outcome, report.longrepr = "failed", f"skipped, which --no-skips forbids: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _MEASURED:
        terminalreporter.section("measured")
        for line in _MEASURED:
            terminalreporter.write_line(line)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell a number that was measured: all of them are printed at the end."""
    return lambda text: _MEASURED.append(f"{request.node.name}: {text}")


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Path:
    """Folder given by ``--data``, with one folder per data set."""
    folder: Path | None = request.config.getoption("--data")
    if folder is None:
        pytest.skip("needs real shop data: pass --data DIR")
    assert folder.is_dir(), f"--data {folder}: not a folder"
    return folder.resolve()


@pytest.fixture(scope="session")
def local_cloud() -> LocalCloud:
    """The local cloud of this checkout, which scripts/up brought up."""
    try:
        return LocalCloud.find()
    except UserError as error:
        pytest.skip(str(error))
