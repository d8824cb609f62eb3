"""Small sealed folders, evaluations, and both kinds of store as a shop has them: the bucket keeps versions."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_image import artefact, evaluation
from model_image import channel as channels
from model_image.channel import Channel
from model_image.evaluation import Comparison, Estimate, Evaluation, Measure
from model_image.layout import EVALUATION
from model_image.registry import Registry
from model_image.stores import ObjectStore
from model_image.stores.folder import FolderStore
from model_image.stores.s3 import S3Store

NewStore = Callable[[], Callable[..., ObjectStore]]


@pytest.fixture(params=["folder", "s3"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> NewStore:
    """Each call makes an empty store and gives how it is opened; a wrapper for the S3 client may be handed in."""
    made = iter(range(10_000))

    def folder() -> Callable[..., ObjectStore]:
        root = tmp_path / f"store-{next(made)}"
        root.mkdir()
        return lambda wrap=None: FolderStore(root)

    def s3() -> Callable[..., ObjectStore]:
        client, bucket = request.getfixturevalue("s3_client"), f"versioned-{uuid.uuid4().hex}"
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return lambda wrap=None: S3Store(bucket, wrap(client) if wrap else client, part_bytes=5 << 20)

    return folder if request.param == "folder" else s3


@pytest.fixture
def registry(new_store: NewStore) -> Registry:
    return Registry(new_store()())


@pytest.fixture
def sealed(tmp_path: Path) -> Callable[..., Path]:
    """Seal a folder of one file that holds `word`, and an evaluation if one is given."""

    def make(word: str, measured: Evaluation | None = None) -> Path:
        folder = tmp_path / f"sealed-{word}"
        if not folder.exists():
            folder.mkdir()
            (folder / "catalogue.jsonl").write_text(word)
            if measured:
                (folder / EVALUATION).write_bytes(evaluation.encode(measured))
            artefact.seal(folder, model="search", base_model="b", data_revision=f"data {word}", code_revision="c")
        return folder

    return make


@pytest.fixture
def two(registry: Registry, sealed: Callable[..., Path]) -> tuple[str, str]:
    """The first is stable, the second a candidate."""
    first, second = (registry.publish(sealed(word)) for word in ("red", "blue"))
    registry.promote("search", first, who="ada", why="first")
    return first, second


def put_release(registry: Registry, folder: Path) -> str:
    """A published release in as few calls as can be, where publishing is not what is tested."""
    manifest = artefact.parse_manifest((folder / artefact.MANIFEST).read_bytes())
    for path in (*manifest.files, artefact.MANIFEST):
        registry.store.put(f"releases/search/{manifest.digest}/{path}", (folder / path).read_bytes(), expected=None)
    return manifest.digest


def put_channel(registry: Registry, channel: Channel) -> None:
    """A channel that somebody moved before."""
    registry.store.put("channels/search.json", channels.encode(channel), expected=None)


def measure(low: float, high: float, **other: Any) -> Measure:
    fields = {"task": "search", "metric": "ndcg@10", "segment": "all", "better": "higher", "guarded": True} | other
    return Measure(estimate=Estimate(value=(low + high) / 2, low=low, high=high, count=100), **fields)


def measured(
    *differences: Measure, other: str = "", created: str = "2026-01-01T00:00:00+00:00", **fields: Any
) -> Evaluation:
    """An evaluation with a comparison to `other`, as quick as it."""
    known: dict[str, Any] = {
        "schema": 1,
        "data_revision": "d1",
        "created": created,
        "measures": (measure(0.5, 0.6),),
        "comparisons": (Comparison(other=other, differences=differences),) if other else (),
        "latency_ms": {"search": 10.0},
        "other_latency_ms": {other: {"search": 10.0}} if other else {},
    }
    return Evaluation(**(known | fields))


class Crash(BaseException):
    """The process ends here. Nothing may catch it."""


WRITES = {
    *("put", "upload", "delete", "discard", "put_object", "delete_object", "create_multipart_upload"),
    *("upload_part", "complete_multipart_upload", "abort_multipart_upload"),
}


class Crashing:
    """Ends the process right before one of its writes, be they of a store or of the client below it.

    A crash beside a read leaves what the write before it left, so these are all there are.
    """

    def __init__(self, real: Any, writes: int) -> None:
        self._real, self._left = real, writes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in WRITES:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._left == 0:
                raise Crash
            self._left -= 1
            return found(*args, **kwargs)

        return call


def opened_crashing(open_store: Callable[..., ObjectStore], writes: int) -> Any:
    """The store of `open_store`, which ends the process after that many writes: requests of the S3 client where there
    is one, else calls of the store."""
    store = open_store()
    if isinstance(store, S3Store):
        return open_store(lambda client: Crashing(client, writes))
    return Crashing(store, writes)
