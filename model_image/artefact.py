"""A model folder that describes itself: `seal` writes its manifest, `verify` refuses anything that differs.

The folder's digest is `sha256-<hex>` of the canonical manifest: the manifest's JSON without `created`, keys
sorted, no spaces. `created` is left out so that building from the same inputs again gives the same digest;
every other key is covered, also keys that a newer version of this module may add.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

MANIFEST = "manifest.json"
SCHEMA = 1
DIGEST = re.compile(r"sha256-[0-9a-f]{64}")
_CHUNK = 1 << 20


class ArtefactError(Exception):
    """The folder is not what its manifest says, or cannot be sealed. The message names the file and the way out."""


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed file: its SHA-256 in hex and its size in bytes."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a sealed folder holds and where it came from.

    `files` maps a relative POSIX path to its entry. `data_revision` names the catalogue the release was built
    from, `code_revision` the code that built it, `created` is UTC in ISO 8601. `digest` is computed, not stored.
    """

    schema: int
    model: str
    base_model: str
    data_revision: str
    code_revision: str
    created: str
    files: dict[str, FileEntry]
    digest: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files together, the manifest itself not counted."""
        return sum(entry.size for entry in self.files.values())


def seal(
    folder: Path,
    *,
    model: str,
    base_model: str,
    data_revision: str,
    code_revision: str,
    created: datetime | None = None,
) -> Manifest:
    """Write `manifest.json` over all files now in `folder` and return it. An older manifest there is replaced."""
    files = {path: _entry(folder / path) for path in sorted(_files(folder)) if path != MANIFEST}
    if not files:
        raise ArtefactError(f"{folder}: nothing to seal, the folder holds no file")
    content = {
        "schema": SCHEMA,
        "model": model,
        "base_model": base_model,
        "data_revision": data_revision,
        "code_revision": code_revision,
        "created": (created or datetime.now(UTC)).isoformat(timespec="seconds"),
        "files": {path: {"sha256": entry.sha256, "size": entry.size} for path, entry in files.items()},
    }
    data = (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
    temporary = folder.parent / f".{folder.name}.{MANIFEST}"
    temporary.write_bytes(data)
    temporary.replace(folder / MANIFEST)
    return parse_manifest(data)


def verify(folder: Path, digest: str | None = None) -> Manifest:
    """Read every byte of `folder` and return its manifest, or raise `ArtefactError` naming the first difference.

    With `digest`, the folder must be exactly that release and not merely consistent with itself.
    """
    try:
        manifest = parse_manifest((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise ArtefactError(f"{folder / MANIFEST}: cannot be read ({error.strerror}); seal the folder first") from error
    if digest is not None and manifest.digest != digest:
        raise ArtefactError(f"{folder}: its digest is {manifest.digest}, expected {digest}; download it again")
    found = set(_files(folder)) - {MANIFEST}
    for path in sorted(found - manifest.files.keys()):
        raise ArtefactError(f"{folder / path}: not in the manifest; remove it or seal the folder again")
    for path, entry in manifest.files.items():
        if path not in found:
            raise ArtefactError(f"{folder / path}: missing; download or build the folder again")
        actual = _entry(folder / path)
        if actual != entry:
            raise ArtefactError(
                f"{folder / path}: {actual.size} bytes with sha256 {actual.sha256}, "
                f"expected {entry.size} bytes with {entry.sha256}; download or build the folder again"
            )
    return manifest


def parse_manifest(data: bytes) -> Manifest:
    """Decode a manifest, check its paths and fill in its digest. Raises `ArtefactError`."""
    try:
        content: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
        if content.get("schema") != SCHEMA:
            raise ArtefactError(f"manifest: schema is {content.get('schema')!r}, this version reads {SCHEMA}")
        canonical = {key: value for key, value in content.items() if key not in ("created", "digest")}
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
        manifest = msgspec.convert(
            {**content, "digest": f"sha256-{hashlib.sha256(text.encode()).hexdigest()}"}, Manifest
        )
    except msgspec.MsgspecError as error:
        raise ArtefactError(f"manifest: {error}") from error
    for path in manifest.files:
        _check_path(path)
    return manifest


def check_digest(digest: str) -> str:
    """Return `digest` when it has the form of one, so that it is safe as a folder name and a key."""
    if not DIGEST.fullmatch(digest):
        raise ArtefactError(f"digest: {digest!r}, expected 'sha256-' and 64 hexadecimal digits")
    return digest


def _check_path(path: str) -> None:
    pure = PurePosixPath(path)
    escapes = pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path
    if not path or escapes or str(pure) != path or path == MANIFEST:
        raise ArtefactError(f"manifest: path {path!r} must be a plain relative path inside the folder")


def _files(folder: Path) -> Iterator[str]:
    """Relative POSIX paths of all regular files; anything that is neither file nor folder is refused."""
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(root, name)
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                yield path.relative_to(folder).as_posix()
            elif not stat.S_ISDIR(mode):
                raise ArtefactError(f"{path}: neither a file nor a folder (a link?); put the content itself there")


def _entry(path: Path) -> FileEntry:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(sha256=digest.hexdigest(), size=size)
