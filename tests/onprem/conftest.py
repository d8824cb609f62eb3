"""What the tests of the on-prem stack share; they run against the local cloud that scripts/up left."""

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import ROLES, Stack


@pytest.fixture(scope="session")
def stacks(local_cloud: LocalCloud) -> dict[str, Stack]:
    return {role: Stack(local_cloud, role) for role in ROLES}
