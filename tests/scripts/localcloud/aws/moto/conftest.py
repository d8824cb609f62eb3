"""The patched moto on a free loopback port, and boto3 clients for it."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from scripts.localcloud.aws.moto.server import serve
from scripts.localcloud.topology import REGION

Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    [server] = serve([("127.0.0.1", 0)])
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def client(moto_url: str) -> Client:
    def make(service: str) -> Any:
        return boto3.client(
            service, endpoint_url=moto_url, region_name=REGION, aws_access_key_id="local", aws_secret_access_key="local"
        )

    return make
