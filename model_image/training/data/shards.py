"""Whether prepared folders are the shards of one whole: each there once, undamaged and made of the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_image.training.data.errors import InputError
from model_image.training.data.manifest import code, digest, sealed
from model_image.training.dataset import EVENTS, PREPARED, REFUSED, DatasetError, Prepared, read_prepared

_OWN = frozenset({EVENTS, f"{REFUSED}/{EVENTS}"})
"""Files that differ by shard; the others come of tables that every one has read as a whole."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A prepared shard."""

    folder: Path
    prepared: Prepared


def find_shards(folders: Sequence[Path]) -> list[Shard]:
    """The shards in their order; what their files hold is for `refuse_damage` to check.

    Raises `InputError` for a folder that is none, one that is missing or given twice, and those that were made of
    other inputs, settings, code or key.
    """
    shards = [opened(folder) for folder in folders]
    first, of = shards[0], shards[0].prepared.shard[1]
    found: dict[int, Shard] = {}
    for shard in shards:
        index, others = shard.prepared.shard
        if others != of:
            raise InputError(
                f"{shard.folder}: is a shard of {others}, but {first.folder} one of {of}; name the shards of one run"
            )
        if index in found:
            raise InputError(f"{shard.folder}: is shard {index} of {of}, and so is {found[index].folder}; name one")
        found[index] = shard
        _refuse_others(shard, first)
    missing = [index for index in range(of) if index not in found]
    if missing:
        raise InputError(
            f"shard {missing[0]} of {of}: not among the {len(folders)} folders, expected every one ({len(missing)} "
            f"missing); prepare it with --shard {missing[0]}/{of}, or name its folder too"
        )
    return [found[index] for index in range(of)]


def refuse_damage(shard: Shard) -> None:
    """Raises `InputError` where a file is not the one that was prepared. About 1 GB a second."""
    for name, expected in shard.prepared.files.items():
        seen = digest(shard.folder / name)
        if seen != expected:
            raise InputError(
                f"{shard.folder / name}: sha256 is {seen}, expected {expected} as {PREPARED} has it; copy this shard "
                "again, or prepare it again"
            )


def opened(folder: Path) -> Shard:
    """Raises `InputError` for a folder that is none, whose manifest was changed, or that other code prepared."""
    try:
        prepared = read_prepared(folder)
    except DatasetError as error:
        raise InputError(str(error)) from error
    if prepared.code != code():
        raise InputError(
            f"{folder}: code is {prepared.code or 'of an older version'}, expected {code()} as it is here; prepare "
            "this shard again, or merge with the version that prepared all"
        )
    if prepared.sealed != sealed(prepared):
        raise InputError(
            f"{folder / PREPARED}: sealed is {prepared.sealed}, expected {sealed(prepared)} of all else that it says; "
            "copy this shard again, or prepare it again"
        )
    return Shard(folder=folder, prepared=prepared)


def difference(what: str, seen: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """The first name that two mappings have otherwise, with both values; empty where there is none."""
    for name in sorted(seen.keys() | expected.keys()):
        if seen.get(name) != expected.get(name):
            return f"{what}: {name} is {_shown(name, seen)}, expected {_shown(name, expected)}"
    return ""


def _refuse_others(shard: Shard, first: Shard) -> None:
    mine, theirs = shard.prepared, first.prepared
    way_out = f"in {first.folder}; prepare both with one command, but for --shard and --target"
    tables = {name: found for name, found in mine.files.items() if name not in _OWN and name in theirs.files}
    for what, one, other in (
        ("inputs", mine.inputs, theirs.inputs),
        ("settings", _without_shard(mine.settings), _without_shard(theirs.settings)),
        ("files", tables, {name: theirs.files[name] for name in tables}),
    ):
        if told := difference(what, one, other):
            raise InputError(f"{shard.folder}: {told} as {way_out}")
    if mine.key != theirs.key:
        raise InputError(f"{shard.folder}: key: another, by which a user has another name, expected the one {way_out}")


def _without_shard(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "shard"}


def _shown(name: str, given: Mapping[str, Any]) -> str:
    return str(given[name]) if name in given else "not there"
