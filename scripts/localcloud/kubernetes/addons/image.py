"""Small images of built programs, brought into the node under a name that says what is in them."""

import io
import json
import platform
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud, cache_folder
from scripts.localcloud.kubernetes.addons.addon import Image
from scripts.localcloud.kubernetes.containerd import ctr
from scripts.localcloud.kubernetes.places import Places

MEDIA = "application/vnd.oci.image"


def ensure(cloud: LocalCloud, image: Image) -> str:
    """Import the image into the running node unless it is there, and return the reference that pods name."""
    files = image.files()
    name = reference(image.name, files)
    if name not in ctr(cloud, "images", "list", "--quiet").stdout.split():
        path = Places(cloud).node / f"{image.name}.tar"
        with path.open("wb") as file:
            write_archive(file, name, files)
        ctr(cloud, "images", "import", str(path))
        path.unlink()
    return name


def reference(name: str, files: Mapping[str, Path]) -> str:
    """Equal references, equal content: the folders that programs lie in are named after a hash of their recipe."""
    cache = cache_folder()
    parts = (f"{inside}\0{path.relative_to(cache)}\0" for inside, path in files.items())
    return f"hybrid-serving.local/{name}:{sha256(''.join(parts).encode()).hexdigest()[:16]}"


def write_archive(archive: io.BufferedIOBase, name: str, files: Mapping[str, Path]) -> None:
    """Write an OCI image archive of one layer; its entry point is the first of ``files``."""
    layer = io.BytesIO()
    _tar(layer, {inside: path.read_bytes() for inside, path in files.items()}, mode=0o755)
    settings = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": [f"/{next(iter(files))}"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer.getbuffer())]},
    }
    config = json.dumps(settings).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{MEDIA}.manifest.v1+json",
        "config": _describe("config.v1+json", config),
        "layers": [_describe("layer.v1.tar", layer.getbuffer())],
    }
    described = json.dumps(manifest).encode()
    named = _describe("manifest.v1+json", described) | {"annotations": {"io.containerd.image.name": name}}
    blobs = (layer.getbuffer(), config, described)
    contents = {f"blobs/sha256/{_digest(blob).removeprefix('sha256:')}": blob for blob in blobs}
    contents["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    contents["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [named]}).encode()
    _tar(archive, contents, mode=0o644)


def _describe(kind: str, blob: bytes | memoryview) -> dict[str, object]:
    return {"mediaType": f"{MEDIA}.{kind}", "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes | memoryview) -> str:
    return f"sha256:{sha256(blob).hexdigest()}"


def _tar(target: io.BufferedIOBase, files: Mapping[str, bytes | memoryview], *, mode: int) -> None:
    # No dates and no owners: the same files give the same bytes.
    with tarfile.open(fileobj=target, mode="w|") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
