"""From a folder of blobs, as buildah's ``dir:`` transport writes it, to an OCI image layout.

buildah's own ``oci:`` and ``oci-archive:`` transports compress every layer, asked or not, which takes a minute of CPU
for a gigabyte and changes the digest. ``dir:`` keeps the blobs as they are.
"""

import json
from hashlib import sha256
from pathlib import Path


def arrange(folder: Path) -> str:
    """Move the blobs of ``folder`` to their places in an OCI layout and return the digest of the manifest."""
    manifest = (folder / "manifest.json").read_bytes()
    hexadecimal = sha256(manifest).hexdigest()
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (folder / "version").unlink()
    (folder / "manifest.json").rename(folder / hexadecimal)
    for path in folder.iterdir():
        if path.is_file():
            path.rename(blobs / path.name)
    named = {
        "mediaType": json.loads(manifest)["mediaType"],
        "digest": f"sha256:{hexadecimal}",
        "size": len(manifest),
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return named["digest"]
