"""An S3 client that notes what is asked, and all stores that can be written."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from model_image.stores import ObjectStore
from model_image.stores.folder import FolderStore
from model_image.stores.s3 import S3Store

MIB = 1 << 20


class Client:
    """An S3 client that notes what is asked, and refuses what a test names."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.asked: list[str] = []
        self.refused = ""
        self.refusal = "AccessDenied", 403
        self.before_complete = lambda: None

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.asked.append(name)
            if name == self.refused:
                code, status = self.refusal
                details = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
                raise ClientError(details, name)
            if name == "complete_multipart_upload":
                self.before_complete()
            return getattr(self._real, name)(**arguments)

        return call


@pytest.fixture
def client(s3_client: Any) -> Client:
    return Client(s3_client)


@pytest.fixture(params=["folder", "s3", "s3 with versions"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        (tmp_path / "store").mkdir()
        return FolderStore(tmp_path / "store")
    return bucket(request.getfixturevalue("client"), versions="versions" in request.param)


def bucket(client: Any, *, versions: bool = True) -> S3Store:
    name = f"store-{os.urandom(6).hex()}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    if versions:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return S3Store(name, client, part_bytes=5 * MIB)


@pytest.fixture
def large(tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(11 * MIB))
    return path, sha256(path.read_bytes()).hexdigest()
