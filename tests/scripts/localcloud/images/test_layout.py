import json
from hashlib import sha256
from pathlib import Path

from scripts.localcloud.images.layout import arrange


def test_a_folder_of_blobs_becomes_a_layout_whose_index_leads_to_the_unchanged_manifest(tmp_path: Path):
    blob = b"layer"
    name = sha256(blob).hexdigest()
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"mediaType": kind, "layers": [{"digest": f"sha256:{name}"}]}).encode()
    for path, content in {"version": b"1.1", "manifest.json": manifest, name: blob}.items():
        (tmp_path / path).write_bytes(content)
    digest = arrange(tmp_path)
    assert digest == f"sha256:{sha256(manifest).hexdigest()}"
    (described,) = json.loads((tmp_path / "index.json").read_text())["manifests"]
    assert described == {"mediaType": kind, "digest": digest, "size": len(manifest)}
    blobs = tmp_path / "blobs" / "sha256"
    assert {path.name: path.read_bytes() for path in blobs.iterdir()} == {name: blob, digest[7:]: manifest}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "index.json", "oci-layout"]
