"""The image of a pod's sandbox: one static program that waits. Made here, because no public registry is needed then.

Its busybox also serves the tests: a web server and a client in two megabytes.
"""

import io
import json
import platform
import tarfile
from hashlib import sha256

from scripts.localcloud import tools

IMAGE = "hybrid-serving.local/pause:1"


def busybox() -> bytes:
    """Debian's statically linked busybox."""
    return (tools.debian("busybox-static") / "bin" / "busybox").read_bytes()


def archive(program: bytes) -> bytes:
    """An OCI image archive of one layer that holds ``program`` as /bin/busybox and runs it to wait for ever.

    The same program gives the same bytes.
    """
    layer = _tar({"bin/busybox": program}, mode=0o755)
    settings = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": ["/bin/busybox", "tail", "-f", "/dev/null"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    blobs = [layer, json.dumps(settings).encode()]
    kinds = ["image.layer.v1.tar", "image.config.v1+json"]
    described = [_describe(kind, blob) for kind, blob in zip(kinds, blobs, strict=True)]
    manifest = {"schemaVersion": 2, "config": described[1], "layers": described[:1]}
    blobs.append(json.dumps(manifest).encode())
    named = _describe("image.manifest.v1+json", blobs[-1]) | {"annotations": {"io.containerd.image.name": IMAGE}}
    files = {f"blobs/sha256/{_digest(blob).removeprefix('sha256:')}": blob for blob in blobs}
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [named]}).encode()
    return _tar(files, mode=0o644)


def _describe(kind: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": f"application/vnd.oci.{kind}", "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{sha256(blob).hexdigest()}"


def _tar(files: dict[str, bytes], *, mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
