import io
import json
import tarfile
from hashlib import sha256

from scripts.localcloud.kubernetes import pause


def unpack(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}


def follow(files: dict[str, bytes], description: dict) -> bytes:
    return files["blobs/sha256/" + description["digest"].removeprefix("sha256:")]


def test_the_same_program_gives_the_same_archive():
    assert pause.archive(b"program") == pause.archive(b"program")
    assert pause.archive(b"program") != pause.archive(b"another")


def test_every_blob_is_stored_under_its_own_digest():
    for name, content in unpack(pause.archive(b"program")).items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{sha256(content).hexdigest()}"


def test_the_index_leads_to_an_executable_program_in_the_layer():
    files = unpack(pause.archive(b"program"))
    described = json.loads(files["index.json"])["manifests"][0]
    assert described["annotations"]["io.containerd.image.name"] == pause.IMAGE
    manifest = json.loads(follow(files, described))
    config = json.loads(follow(files, manifest["config"]))
    layer = follow(files, manifest["layers"][0])
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        (entry,) = tar.getmembers()
        assert f"/{entry.name}" == config["config"]["Entrypoint"][0]
        assert entry.mode & 0o111
        assert tar.extractfile(entry).read() == b"program"
