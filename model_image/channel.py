"""The channel of a model: which release is stable, which is canary, and who moved them. Pure; no storage here."""

from typing import Any

import msgspec

SCHEMA = 1


class ChannelError(Exception):
    """The stored channel cannot be read."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the append-only history. `when` is UTC in ISO 8601."""

    release: str
    action: str
    who: str
    when: str
    why: str


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """`stable` is None until the first promotion. `etag` is the stored version this was read from; None: not stored."""

    model: str
    schema: int = SCHEMA
    stable: str | None = None
    canary: str | None = None
    canary_percent: int = 0
    history: tuple[Change, ...] = ()
    etag: str | None = None


def promoted(channel: Channel, release: str, *, who: str, why: str, when: str) -> Channel:
    """The channel after `release` became stable; a canary of the same release ends with it."""
    change = Change(release=release, action="promote", who=who, when=when, why=why)
    ends = channel.canary == release
    return msgspec.structs.replace(
        channel,
        stable=release,
        canary=None if ends else channel.canary,
        canary_percent=0 if ends else channel.canary_percent,
        history=(*channel.history, change),
    )


def behind(channel: Channel, other: Channel) -> bool:
    """Whether `channel` is an earlier version of `other`: a history only grows, a rollback makes it longer as well."""
    length = len(channel.history)
    return length < len(other.history) and other.history[:length] == channel.history


def encode(channel: Channel) -> bytes:
    """The stored form, one key per line so that a person can read it in the bucket."""
    content: dict[str, Any] = msgspec.to_builtins(channel)
    del content["etag"]
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
