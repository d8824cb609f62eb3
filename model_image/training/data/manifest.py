"""prepared.json: what the folder was made from, by digest, written when all else is there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path

import msgspec

from model_image import products
from model_image.training.data import shards
from model_image.training.data.settings import Settings
from model_image.training.data.shards import Shard
from model_image.training.dataset import PREPARED, SCHEMA, Prepared, TableCount


def seal(
    folder: Path,
    settings: Settings,
    files: Mapping[str, Sequence[Shard]],
    tables: dict[str, TableCount],
    cut: datetime | None,
    scrubbed: dict[str, dict[str, int]],
) -> Prepared:
    """Write the manifest of what is in `folder`.

    The revision is of the inputs, the settings, the code and the files: the key has its part in the files alone.
    """
    inputs = {f"{table}/{shard.name}": shards.digest(shard) for table, found in files.items() for shard in found}
    if settings.model is not None:
        inputs |= {f"model/{path.name}": _digest(path) for path in sorted(settings.model.iterdir()) if path.is_file()}
    written = {str(path.relative_to(folder)): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    named = {"inputs": inputs, "settings": settings.described(), "code": _code(), "files": written}
    prepared = Prepared(
        schema=SCHEMA,
        revision=f"sha256-{sha256(msgspec.json.encode(named, order='sorted')).hexdigest()}",
        created=settings.now.replace(tzinfo=UTC).isoformat(timespec="seconds"),
        inputs=inputs,
        files=written,
        tables=tables,
        cut=cut.replace(tzinfo=UTC) if cut else None,
        unseen_percent=settings.unseen_percent,
        seed=settings.seed,
        hold_fold=settings.hold_fold,
        shard=settings.shard,
        scrubbed=scrubbed,
    )
    (folder / PREPARED).write_bytes(msgspec.json.format(msgspec.json.encode(prepared), indent=1) + b"\n")
    return prepared


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _code() -> str:
    """Of what decides the result beside the libraries."""
    paths = [*sorted(Path(__file__).parent.glob("*.py")), Path(products.__file__)]
    return sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()
