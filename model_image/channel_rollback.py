"""The way back of a channel: which releases were stable before, and how it goes back to one. Pure; no storage here."""

from collections.abc import Iterable

import msgspec

from model_image.channel import PROMOTE, ROLLBACK, Change, Channel, ChannelError, canary_ended, refuse_collecting


def rolled_back(channel: Channel, release: str, *, who: str, why: str, when: str) -> Channel:
    """The channel after `release`, which was stable before, became so again; a canary ends. Raises `ChannelError`."""
    if release == channel.stable or release not in way_back(channel):
        known = ", ".join(way_back(channel)) or "none"
        raise ChannelError(
            f"roll back to: {release}, expected a release stable before the one that is ({known}); "
            "promote another one instead"
        )
    refuse_collecting(channel, release)
    ended = canary_ended(channel, who=who, why=why, when=when)
    change = Change(release=release, action=ROLLBACK, who=who, when=when, why=why)
    return msgspec.structs.replace(ended, stable=release, history=(*ended.history, change))


def way_back(channel: Channel) -> tuple[str, ...]:
    """The releases a rollback goes to, the nearest first, each once and without the stable one.

    A rollback takes what it leaves off the way, so that the next one goes further back and never forth again.
    """
    return tuple(dict.fromkeys(release for release in reversed(_way(channel.history)) if release != channel.stable))


def proven(channel: Channel, release: str) -> bool:
    """Whether `release` was stable before and was not rolled back from: a way back, or where a rollback led."""
    way = _way(channel.history)
    last = next((change.action for change in reversed(channel.history) if change.action in (PROMOTE, ROLLBACK)), "")
    return release in (way[:-1] if last == PROMOTE else way)


def _way(history: Iterable[Change]) -> list[str]:
    """The releases that were stable, without those that a rollback left; the last is the stable one."""
    way: list[str] = []
    for change in history:
        if change.action == PROMOTE:
            way.append(change.release)
        elif change.action == ROLLBACK and change.release in way:
            while way[-1] != change.release:
                way.pop()
    return way
