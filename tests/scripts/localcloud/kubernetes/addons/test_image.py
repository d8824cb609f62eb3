import io
import json
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from scripts.localcloud.kubernetes.addons import image


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "hybrid-serving" / "tools" / "thing-0123"
    folder.mkdir(parents=True)
    for name in ("server", "library"):
        (folder / name).write_text(f"content of {name}")
    return {"bin/server": folder / "server", "lib/library": folder / "library"}


def archive(programs: Mapping[str, Path]) -> bytes:
    target = io.BytesIO()
    image.write_archive(target, "local/thing:1", programs)
    return target.getvalue()


def unpack(archived: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archived)) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}


def test_the_same_programs_give_the_same_bytes(programs: Mapping[str, Path]):
    before = archive(programs)
    assert archive(programs) == before
    programs["lib/library"].write_text("another")
    assert archive(programs) != before


def test_every_blob_is_stored_under_its_own_digest(programs: Mapping[str, Path]):
    blobs = {name: content for name, content in unpack(archive(programs)).items() if name.startswith("blobs/")}
    assert set(blobs) == {f"blobs/sha256/{sha256(content).hexdigest()}" for content in blobs.values()}


def test_the_index_leads_to_the_named_image_that_runs_the_first_program(programs: Mapping[str, Path]):
    files = unpack(archive(programs))

    def follow(described: dict[str, str]) -> bytes:
        return files["blobs/sha256/" + described["digest"].removeprefix("sha256:")]

    (named,) = json.loads(files["index.json"])["manifests"]
    assert named["annotations"]["io.containerd.image.name"] == "local/thing:1"
    manifest = json.loads(follow(named))
    config = json.loads(follow(manifest["config"]))
    assert config["config"]["Entrypoint"] == ["/bin/server"]
    (layer,) = manifest["layers"]
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert unpack(follow(layer)) == {"bin/server": b"content of server", "lib/library": b"content of library"}


def test_every_file_of_the_layer_can_be_executed_by_anyone(programs: Mapping[str, Path]):
    files = unpack(archive(programs))
    layer = max((content for name, content in files.items() if name.startswith("blobs/")), key=len)
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert {entry.mode for entry in tar} == {0o755}


def test_another_recipe_is_another_image(programs: Mapping[str, Path], tmp_path: Path):
    other = {inside: path.parent.with_name("thing-4567") / path.name for inside, path in programs.items()}
    assert image.reference("thing", programs) != image.reference("thing", other)
    assert image.reference("thing", programs) == image.reference("thing", dict(programs))
