"""Small releases for the dummy backend, and both kinds of registry."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from model_image import artefact, release_zero
from model_image.catalogue import Product
from model_image.embed import embed_texts
from model_image.layout import CROSS_ENCODER, ENCODER, TASKS
from model_image.registry import Registry, open_registry
from model_image.server.backends.dummy import DummyBackend
from model_image.settings import ModelSettings, write_settings

MakeRelease = Callable[..., Path]


@pytest.fixture
def make_release(tmp_path: Path) -> MakeRelease:
    """Seal a release of the given titles for the dummy backend.

    `tasks` are settings by name; `break_it` may spoil the folder before the seal.
    """

    def make(
        *titles: str,
        cross_encoder: bool = False,
        tasks: Mapping[str, ModelSettings] | None = None,
        dimension: int = 64,
        break_it: Callable[[Path], object] | None = None,
    ) -> Path:
        folder = tmp_path / f"built-{len(list(tmp_path.iterdir()))}"
        models = {ENCODER: ModelSettings(head="embed", max_tokens=32, dimension=dimension)}
        if cross_encoder:
            models[CROSS_ENCODER] = ModelSettings(head="rank", max_tokens=64)
        models |= {f"{TASKS}/{name}": settings for name, settings in (tasks or {}).items()}
        for name, settings in models.items():
            (folder / name).mkdir(parents=True)
            write_settings(folder / name, settings)
        products = [Product(product_id=f"p{at}", title=title) for at, title in enumerate(titles)]
        release_zero.write_catalogue(folder, products)
        embed = partial(embed_texts, DummyBackend().load(folder / ENCODER))
        release_zero.write_vectors(folder, embed, products, len(products))
        if break_it:
            break_it(folder)
        artefact.seal(folder, model="search", base_model="dummy", data_revision="test", code_revision="test")
        return folder

    return make


@pytest.fixture
def folder_registry(tmp_path: Path) -> Registry:
    (tmp_path / "registry").mkdir()
    return open_registry(tmp_path / "registry")


@pytest.fixture(scope="session")
def s3_client() -> Iterator[Any]:
    """One client for all tests: making it takes longer than a test."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for word in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CA_BUNDLE"):
            patch.delenv(word, raising=False)
        yield boto3.client("s3", region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture
def s3_registry(s3_client: Any) -> Registry:
    bucket = f"models-{uuid.uuid4().hex}"
    s3_client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return open_registry(f"s3://{bucket}", s3_client)


@pytest.fixture(params=["folder", "s3"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """Every promise of the registry holds for both."""
    found: Registry = request.getfixturevalue(f"{request.param}_registry")
    return found


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_image.download.PAUSE_SECONDS", 0)
