"""Removing what nobody needs any more, as `collection.plan` found it.

Each release goes in steps, and a crash after any of them leaves what the next run finishes: the channel says that the
release is being removed (from here on nothing can name it, see `channel_collecting`), its manifest goes (from here on
it does not exist), its files go, the channel forgets it.
"""

from collections.abc import Callable
from functools import partial

from model_image import channel_collecting
from model_image.artefact import MANIFEST
from model_image.channel import Channel, ChannelError
from model_image.registry import moving
from model_image.registry.collection import Candidate, Plan, held_by_any
from model_image.registry.keys import release_prefix
from model_image.registry.reading import read_channel
from model_image.registry_errors import ChannelConflictError
from model_image.stores import ObjectStore

Note = Callable[[str], None]

_TRIES = 5


def collect(store: ObjectStore, wanted: Plan, note: Note = lambda text: None) -> int:
    """Remove what `wanted` says, each release only if it still may go; returns the bytes that were freed.

    Raises `ChannelConflictError` when the channel moves again and again.
    """
    freed = 0
    for candidate in wanted.candidates:
        if not candidate.stays:
            freed += _remove(store, wanted, candidate, note)
    for leftover in wanted.leftovers:
        store.discard(leftover)
        freed += leftover.size
        note(f"removed {leftover.what}: {leftover.key}")
    return freed


def _remove(store: ObjectStore, wanted: Plan, candidate: Candidate, note: Note) -> int:
    digest, prefix = candidate.digest, release_prefix(wanted.model, candidate.digest)
    resumed = digest in read_channel(store, wanted.model).collecting
    try:
        if digest in held_by_any(store, wanted.last):
            raise ChannelError(f"release: {digest}, a channel names it by now and it stays")
        _move(store, wanted.model, partial(channel_collecting.begun, release=digest, last=wanted.last))
    except ChannelError as error:
        note(f"kept {digest}: {error}")
        return 0
    if not resumed and any(entry.modified >= wanted.older_than for entry in store.below(prefix)):
        _move(store, wanted.model, partial(channel_collecting.done, release=digest))
        note(f"kept {digest}: somebody publishes it again")
        return 0
    store.delete(prefix + MANIFEST)
    freed = 0
    while entries := store.below(prefix):  # again for what a publishing that began before still adds
        for entry in entries:
            store.delete(entry.key)
            freed += entry.size
    _move(store, wanted.model, partial(channel_collecting.done, release=digest))
    note(f"removed {digest}, {candidate.files} files, {freed:,} bytes")
    return freed


def _move(store: ObjectStore, model: str, change: Callable[[Channel], Channel]) -> Channel:
    """Change the channel as it is by then, also when somebody moves it meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return moving.replace(store, read_channel(store, model), change)
        except ChannelConflictError:
            continue
    return moving.replace(store, read_channel(store, model), change)
