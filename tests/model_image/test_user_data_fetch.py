"""The way of an instance to its release: the user data's own environment, a registry in S3 behind TLS, the real SDK."""

import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from werkzeug.serving import make_server

from infra.aws.bootstrap import Bootstrap, user_data
from infra.images import ImageReference
from model_image import artefact
from model_image.registry import Registry, open_registry
from model_image.registry_errors import BrokenDownloadError
from model_image.server.config import read_config
from model_image.stores import StoreError
from scripts.localcloud.aws.data_plane.user_data import parse
from scripts.localcloud.aws.moto import patches
from scripts.localcloud.aws.moto.server import QuietHandler, application
from scripts.localcloud.certificates import Authority, Subject
from scripts.localcloud.topology import REGION

BUCKET = "models-of-the-shop"


class Endpoint:
    """An S3 endpoint behind TLS, whose certificate `authority` signed."""

    def __init__(self, folder: Path) -> None:
        patches.apply()
        authority = Authority("the endpoint's")
        authority.write(folder / "ca.pem")
        authority.issue(Subject(name="endpoint", addresses=("127.0.0.1",)), folder, "endpoint")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "endpoint.crt", folder / "endpoint.key")
        self._server = make_server(
            "127.0.0.1", 0, application("life"), threaded=True, ssl_context=context, request_handler=QuietHandler
        )
        self.authority = (folder / "ca.pem").read_text()
        self.url = f"https://127.0.0.1:{self._server.port}"
        self.s3 = boto3.client(
            "s3",
            endpoint_url=self.url,
            verify=str(folder / "ca.pem"),
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def close(self) -> None:
        for stored in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
            self.s3.delete_object(Bucket=BUCKET, Key=stored["Key"])
        self.s3.delete_bucket(Bucket=BUCKET)
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    running = Endpoint(tmp_path_factory.mktemp("endpoint"))
    yield running
    running.close()


@pytest.fixture
def boot(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """Do what an instance does with its user data, and open the registry that its server would open."""

    def booted(**changes: Any) -> Registry:
        values = {"bucket": BUCKET, "endpoint": endpoint.url, "ca_bundle": endpoint.authority} | changes
        told = parse(user_data(_bootstrap(**values)))
        for file in told.files:
            path = tmp_path / "root" / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        for word in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_PROFILE"):
            monkeypatch.delenv(word, raising=False)
        # On an instance the metadata service gives the role's keys; and its root is a folder here.
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        for word, value in told.environment.items():
            monkeypatch.setenv(word, value.replace("/etc/serving/", f"{tmp_path}/root/etc/serving/"))
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        return open_registry(read_config(told.environment).registry)

    return booted


def _bootstrap(**changes: Any) -> Bootstrap:
    values: dict[str, Any] = {
        "image": ImageReference(repository="repository.test/serving", digest="sha256:" + "ab" * 32),
        "slot": "stable",
        "region": REGION,
        "gpu": False,
        "metrics": "HybridServing/test",
        "log_group": "/test/servers",
    }
    return Bootstrap(**values | changes)


@pytest.fixture
def published(endpoint: Endpoint, make_release: Callable[..., Path]) -> str:
    """A release in the bucket that the channel names."""
    registry = open_registry(f"s3://{BUCKET}", endpoint.s3)
    digest = registry.publish(make_release("red shoes", "blue kettle"))
    registry.promote("search", digest, who="test", why="")
    return digest


def test_an_instance_finds_and_verifies_the_release_that_the_channel_names(
    boot: Callable[..., Registry], published: str, tmp_path: Path
) -> None:
    registry = boot()
    assert registry.channel("search").stable == published
    registry.download("search", published, tmp_path / "release")
    assert artefact.verify(tmp_path / "release", published)


def test_a_release_whose_bytes_were_changed_in_the_bucket_does_not_reach_the_instance(
    boot: Callable[..., Registry], endpoint: Endpoint, make_release: Callable[..., Path], tmp_path: Path
) -> None:
    digest = open_registry(f"s3://{BUCKET}", endpoint.s3).publish(make_release("green hose"))
    endpoint.s3.put_object(Bucket=BUCKET, Key=f"releases/search/{digest}/catalogue.jsonl", Body=b"other")
    with pytest.raises(BrokenDownloadError, match=r"catalogue\.jsonl: 5 bytes with sha256 .*publish the release again"):
        boot().download("search", digest, tmp_path / "release")
    assert not (tmp_path / "release").exists()


def test_a_bucket_that_is_not_there_is_named(boot: Callable[..., Registry]) -> None:
    with pytest.raises(StoreError, match=r"s3://no-such-bucket/channels/search\.json: no such bucket"):
        boot(bucket="no-such-bucket").channel("search")


def test_an_endpoint_where_nothing_answers_is_named(boot: Callable[..., Registry]) -> None:
    with pytest.raises(StoreError, match=r'Could not connect to the endpoint URL: "https://127\.0\.0\.1:1/'):
        boot(endpoint="https://127.0.0.1:1").channel("search")


def test_another_authority_than_the_endpoints_is_named_as_the_cause(
    boot: Callable[..., Registry], tmp_path: Path
) -> None:
    Authority("another").write(tmp_path / "other.pem")
    with pytest.raises(StoreError, match=r"SSL validation failed for https://127\.0\.0\.1:.*CERTIFICATE_VERIFY_FAILED"):
        boot(ca_bundle=(tmp_path / "other.pem").read_text()).channel("search")


def test_without_the_private_authority_the_endpoint_is_not_trusted(boot: Callable[..., Registry]) -> None:
    with pytest.raises(StoreError, match=r"CERTIFICATE_VERIFY_FAILED"):
        boot(ca_bundle="").channel("search")


def test_an_authority_that_is_no_certificate_is_an_error_of_the_store(boot: Callable[..., Registry]) -> None:
    with pytest.raises(StoreError, match=r"s3://models-of-the-shop/channels/search\.json: "):
        boot(ca_bundle="-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n").channel("search")
