"""What every tier shares: the option that names real shop data."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--data",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder with real shop data; tests that want it are skipped without it",
    )


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Path:
    """Folder given by ``--data``, with one folder per data set."""
    folder: Path | None = request.config.getoption("--data")
    if folder is None:
        pytest.skip("needs real shop data: pass --data DIR")
    assert folder.is_dir(), f"--data {folder}: not a folder"
    return folder.resolve()
