import uuid
from collections.abc import Iterator

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.cluster import kubectl
from tests.scripts.localcloud.kubernetes.addons.room import Room


@pytest.fixture
def room(local_cloud: LocalCloud) -> Iterator[Room]:
    """An empty namespace in the running cluster."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl(local_cloud, "create", "namespace", name)
    yield Room(local_cloud, name)
    kubectl(local_cloud, "delete", "namespace", name, "--ignore-not-found", "--wait=false")
