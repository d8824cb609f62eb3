"""The Terraform provider's schemas, for tests that hold tables against them."""

import os
from collections.abc import Iterator

import pytest

from scripts.localcloud.aws.bridge.binary import find_binary, search_roots
from scripts.localcloud.aws.bridge.plugin import Plugin
from scripts.localcloud.aws.bridge.terraform import Terraform
from scripts.localcloud.cloud import cache_folder
from scripts.localcloud.console import UserError


@pytest.fixture(scope="session")
def terraform() -> Iterator[Terraform]:
    try:
        binary = find_binary(search_roots(os.environ))
    except UserError as error:
        pytest.skip(str(error))
    plugin = Plugin(binary)
    yield Terraform(plugin, binary, cache_folder())
    plugin.stop()
