"""One scratch account per file, and the production example in it."""

from collections.abc import Iterator

import pytest

from scripts.localcloud.engine.scratch import Scratch, scratch


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    with scratch(tmp_path_factory.mktemp("account")) as made:
        yield made
