from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from model_image.artefact import ArtefactError, parse_manifest, seal, verify

SOURCE = {"model": "search", "base_model": "base", "data_revision": "data", "code_revision": "code"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "release"
    (made / "encoder").mkdir(parents=True)
    (made / "encoder" / "model.bin").write_bytes(b"weights")
    (made / "catalogue.jsonl").write_bytes(b"{}\n")
    return made


def test_a_sealed_folder_verifies_and_lists_every_file_with_its_size(folder: Path) -> None:
    manifest = seal(folder, **SOURCE)
    assert verify(folder, manifest.digest) == manifest
    assert {path: entry.size for path, entry in manifest.files.items()} == {
        "encoder/model.bin": 7,
        "catalogue.jsonl": 3,
    }


def test_the_digest_depends_on_content_and_source_and_not_on_the_time(folder: Path) -> None:
    first = seal(folder, **SOURCE, created=datetime(2026, 1, 1, tzinfo=UTC))
    assert seal(folder, **SOURCE, created=datetime(2027, 1, 1, tzinfo=UTC)).digest == first.digest
    assert seal(folder, **{**SOURCE, "data_revision": "other"}).digest != first.digest
    (folder / "catalogue.jsonl").write_bytes(b"[]\n")
    assert seal(folder, **SOURCE).digest != first.digest


def test_a_key_that_a_newer_version_adds_is_covered_by_the_digest(folder: Path) -> None:
    seal(folder, **SOURCE)
    content: dict[str, Any] = msgspec.json.decode((folder / "manifest.json").read_bytes())
    plain, extended = (parse_manifest(msgspec.json.encode(c)) for c in (content, {**content, "metrics": {"ndcg": 0.6}}))
    assert plain.digest != extended.digest


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: (folder / "catalogue.jsonl").write_bytes(b"{ \n"), "catalogue.jsonl"),
        (lambda folder: (folder / "encoder" / "model.bin").write_bytes(b"weight"), "6 bytes"),
        (lambda folder: (folder / "encoder" / "model.bin").unlink(), "model.bin: missing"),
        (lambda folder: (folder / "extra").write_bytes(b""), "extra: not in the manifest"),
        (lambda folder: (folder / "link").symlink_to(folder / "catalogue.jsonl"), "link: neither"),
        (lambda folder: (folder / "more").symlink_to(folder / "encoder"), "more: neither"),
        (lambda folder: (folder / "manifest.json").unlink(), "seal the folder first"),
    ],
)
def test_any_difference_is_refused_by_name(folder: Path, spoil: Any, named: str) -> None:
    seal(folder, **SOURCE)
    spoil(folder)
    with pytest.raises(ArtefactError, match=named):
        verify(folder)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "a\\b", "", "./a", "a//b", "manifest.json"])
def test_a_manifest_whose_path_leaves_the_folder_is_refused(folder: Path, path: str) -> None:
    seal(folder, **SOURCE)
    content = msgspec.json.decode((folder / "manifest.json").read_bytes())
    content["files"][path] = {"sha256": "0" * 64, "size": 0}
    with pytest.raises(ArtefactError, match="plain relative path"):
        parse_manifest(msgspec.json.encode(content))


def test_another_release_than_the_one_asked_for_is_refused(folder: Path) -> None:
    seal(folder, **SOURCE)
    with pytest.raises(ArtefactError, match="expected sha256-00"):
        verify(folder, f"sha256-{'0' * 64}")


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"schema": 2}', b'{"schema": 1, "files": 3}'])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(ArtefactError, match="manifest"):
        parse_manifest(data)


def test_an_empty_folder_cannot_be_sealed(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="nothing to seal"):
        seal(tmp_path, **SOURCE)
