"""The channel of a model: which release is stable, which is canary, and who moved them. Pure; no storage here."""

from collections.abc import Mapping
from typing import Any

import msgspec

SCHEMA = 1
MOST_PERCENT = 50
"""Of users on a canary: with more it would be the stable release that is on trial."""

PROMOTE, ROLLBACK = "promote", "rollback"
"""The actions that make a release stable."""


class ChannelError(Exception):
    """The stored channel cannot be read, or a change of it is not possible."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the append-only history. `when` is UTC in ISO 8601.

    `metrics` are the release's main numbers as they were known then; `forced` are the reasons against a promotion that
    was made nevertheless. Images from before these two existed leave them out.
    """

    release: str
    action: str
    who: str
    when: str
    why: str
    metrics: dict[str, float] = {}
    forced: tuple[str, ...] = ()


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """`stable` is None until the first promotion. `etag` is the stored version this was read from; None: not stored.

    `collecting` are releases that are being removed and so may not be named any more, `collections` counts how many
    ever were: see `channel_collecting`.
    """

    model: str
    schema: int = SCHEMA
    stable: str | None = None
    canary: str | None = None
    canary_percent: int = 0
    history: tuple[Change, ...] = ()
    collecting: tuple[str, ...] = ()
    collections: int = 0
    etag: str | None = None


def promoted(
    channel: Channel,
    release: str,
    *,
    who: str,
    why: str,
    when: str,
    metrics: Mapping[str, float] | None = None,
    forced: tuple[str, ...] = (),
) -> Channel:
    """The channel after `release` became stable, unchanged where it is; a canary of the same release ends with it."""
    if channel.stable == release:
        return channel
    refuse_collecting(channel, release)
    change = Change(
        release=release, action=PROMOTE, who=who, when=when, why=why, metrics=dict(metrics or {}), forced=forced
    )
    ends = channel.canary == release
    return msgspec.structs.replace(
        channel,
        stable=release,
        canary=None if ends else channel.canary,
        canary_percent=0 if ends else channel.canary_percent,
        history=(*channel.history, change),
    )


def canaried(channel: Channel, release: str, percent: int, *, who: str, why: str, when: str) -> Channel:
    """The channel after `release` became the canary for `percent` of the users. Raises `ChannelError`."""
    if not 1 <= percent <= MOST_PERCENT:
        raise ChannelError(f"canary percent: {percent}, expected 1 to {MOST_PERCENT}; promote a release for all users")
    if channel.stable is None or channel.stable == release:
        rule = "a release other than the stable one" if channel.stable else "a stable release beside it; promote one"
        raise ChannelError(f"canary: {release}, expected {rule}")
    refuse_collecting(channel, release)
    change = Change(release=release, action=f"canary {percent} %", who=who, when=when, why=why)
    return msgspec.structs.replace(channel, canary=release, canary_percent=percent, history=(*channel.history, change))


def canary_ended(channel: Channel, *, who: str, why: str, when: str) -> Channel:
    """The channel after its canary ended; unchanged where there is none."""
    if channel.canary is None:
        return channel
    change = Change(release=channel.canary, action="end canary", who=who, when=when, why=why)
    return msgspec.structs.replace(channel, canary=None, canary_percent=0, history=(*channel.history, change))


def former(channel: Channel) -> tuple[str, ...]:
    """The releases that were stable before the one that is, the latest last; one that came back may be among them."""
    return tuple(change.release for change in channel.history if change.action in (PROMOTE, ROLLBACK))[:-1]


def behind(channel: Channel, other: Channel) -> bool:
    """Whether `channel` is an earlier version of `other`: a history only grows, a rollback makes it longer as well."""
    length = len(channel.history)
    return length < len(other.history) and _lines(other)[:length] == _lines(channel)


def encode(channel: Channel) -> bytes:
    """The stored form, one key per line so that a person can read it in the bucket."""
    content: dict[str, Any] = msgspec.to_builtins(channel)
    del content["etag"]
    for name in ("collecting", "collections"):
        if not content[name]:  # as images from before these existed write it
            del content[name]
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def decode(data: bytes, etag: str) -> Channel:
    """Inverse of `encode`. Raises `ChannelError` for anything that is not a channel of this schema."""
    try:
        channel = msgspec.json.decode(data, type=Channel)
    except msgspec.MsgspecError as error:
        raise ChannelError(f"channel: {error}") from error
    if channel.schema != SCHEMA:
        raise ChannelError(f"channel {channel.model}: schema is {channel.schema}, this version reads {SCHEMA}")
    return msgspec.structs.replace(channel, etag=etag)


def _lines(channel: Channel) -> list[tuple[str, ...]]:
    """The history as every version of the image keeps it: a cache of an earlier one drops what it does not know."""
    return [(change.release, change.action, change.who, change.when, change.why) for change in channel.history]


def refuse_collecting(channel: Channel, release: str) -> None:
    """Raise `ChannelError` where `release` is being removed: nothing may name it any more."""
    if release in channel.collecting:
        raise ChannelError(
            f"release: {release}, it is being removed; let `scripts/releases gc --delete` finish, then publish it again"
        )
