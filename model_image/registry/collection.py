"""What may be removed from the registry, and why the rest stays. Reads only."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from model_image import channel as channels
from model_image import channel_collecting
from model_image.artefact import DIGEST, MANIFEST
from model_image.channel_collecting import LAST
from model_image.registry.keys import CHANNELS, RELEASES, check_model, release_prefix
from model_image.registry.reading import read_channel
from model_image.stores import Entry, Leftover, ObjectStore

DAYS = 14.0
"""A release, and a publishing that was killed, stay at least that long."""

_DAY = 86_400.0


class Candidate(NamedTuple):
    """A release, or what a killed publishing or removal left of one. `stays` says why it is kept, "" for one to go."""

    digest: str
    files: int
    size: int
    modified: float
    published: bool
    stays: str


class Plan(NamedTuple):
    """What `collect` looked at, with the rules it was made by."""

    model: str
    last: int
    older_than: float
    candidates: tuple[Candidate, ...]
    leftovers: tuple[Leftover, ...]


def plan(
    store: ObjectStore, model: str, *, last: int = LAST, days: float = DAYS, clock: Callable[[], float] = time.time
) -> Plan:
    """What may go: releases that no channel names as stable, canary, or one of the `last` former ones or ways back, and
    leftovers of these, both untouched for `days`. What a removal began before is finished. Reads only."""
    older_than = clock() - days * _DAY
    held = held_by_any(store, last)
    begun = read_channel(store, model).collecting
    found: dict[str, list[Entry]] = defaultdict(list)
    prefix = f"{RELEASES}{check_model(model)}/"
    for entry in store.below(prefix):
        digest = entry.key[len(prefix) :].partition("/")[0]
        if DIGEST.fullmatch(digest):
            found[digest] += [entry]
    candidates = [
        _candidate(model, digest, found[digest], held, older_than, days, begun=digest in begun)
        for digest in sorted({*found, *begun})
    ]
    leftovers = [
        each
        for each in store.leftovers(prefix)
        if each.modified < older_than and each.key[len(prefix) :].partition("/")[0] not in held
    ]
    return Plan(model, last, older_than, tuple(candidates), tuple(leftovers))


def _candidate(
    model: str,
    digest: str,
    entries: list[Entry],
    held: dict[str, str],
    older_than: float,
    days: float,
    *,
    begun: bool,
) -> Candidate:
    modified = max((entry.modified for entry in entries), default=0.0)
    young = f"younger than {days:g} days" if modified >= older_than and not begun else ""
    published = any(entry.key == release_prefix(model, digest) + MANIFEST for entry in entries)
    size = sum(entry.size for entry in entries)
    return Candidate(digest, len(entries), size, modified, published, held.get(digest, young))


def held_by_any(store: ObjectStore, last: int) -> dict[str, str]:
    """What any model's channel holds. A channel that cannot be read ends it all: it may hold anything."""
    found: dict[str, str] = {}
    for entry in store.below(CHANNELS):
        channel = channels.decode(b"".join(store.chunks(entry.key)), "")
        for digest, reason in channel_collecting.held(channel, last).items():
            found.setdefault(digest, f"{reason} of {channel.model}")
    return found
