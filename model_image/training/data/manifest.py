"""prepared.json: what the folder was made from, by digest, written when all else is there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path

import msgspec

from model_image import products
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.settings import Settings
from model_image.training.data.tablefile import TableFile
from model_image.training.dataset import PREPARED, SCHEMA, Prepared, TableCount


def seal(
    folder: Path,
    settings: Settings,
    *,
    inputs: dict[str, str],
    tables: dict[str, TableCount],
    cut: datetime | None,
    scrubbed: dict[str, dict[str, int]],
    key: str,
) -> Prepared:
    """Write the manifest of what is in `folder`."""
    prepared = Prepared(
        schema=SCHEMA,
        revision="",
        created=created(settings),
        inputs=inputs,
        files={str(path.relative_to(folder)): digest(path) for path in sorted(folder.rglob("*")) if path.is_file()},
        tables=tables,
        cut=cut.replace(tzinfo=UTC) if cut else None,
        unseen_percent=settings.unseen_percent,
        seed=settings.seed,
        hold_fold=settings.hold_fold,
        shard=settings.shard,
        scrubbed=scrubbed,
        settings=settings.described(),
        code=code(),
        key=key,
    )
    prepared = msgspec.structs.replace(prepared, revision=revision(prepared))
    prepared = msgspec.structs.replace(prepared, sealed=sealed(prepared))
    (folder / PREPARED).write_bytes(msgspec.json.format(msgspec.json.encode(prepared), indent=1) + b"\n")
    return prepared


def created(settings: Settings) -> str:
    """What a folder prepared with these has as its time."""
    return settings.now.replace(tzinfo=UTC).isoformat(timespec="seconds")


def revision(prepared: Prepared) -> str:
    """Of the inputs, the settings, the code and the files: the key has its part in the files alone."""
    named = {name: getattr(prepared, name) for name in ("inputs", "settings", "code", "files")}
    return f"sha256-{sha256(msgspec.json.encode(named, order='sorted')).hexdigest()}"


def sealed(prepared: Prepared) -> str:
    """Of all that it says but this."""
    said = msgspec.structs.replace(prepared, sealed="")
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def inputs(files: Mapping[str, Sequence[TableFile]]) -> dict[str, str]:
    """Digests of the tables' files."""
    return {f"{table}/{file.name}": digest(file.path) for table, found in files.items() for file in found}


def model_inputs(model: Path | None) -> dict[str, str]:
    """Digests of the files of the encoder's folder."""
    return {f"model/{path.name}": digest(path) for path in sorted(model.iterdir()) if path.is_file()} if model else {}


def key_mark(pseudonyms: Pseudonyms | None) -> str:
    """The name that the key gives to nobody: it tells keys apart and gives none away."""
    return pseudonyms.of("") if pseudonyms else ""


def digest(path: Path) -> str:
    """sha256 in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def code() -> str:
    """Digest of what decides the result beside the libraries."""
    paths = [*sorted(Path(__file__).parent.glob("*.py")), Path(products.__file__)]
    return sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()
