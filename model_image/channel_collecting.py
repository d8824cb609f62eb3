"""Releases on their way out. Pure; no storage here.

The channel itself says which releases are being removed, and is changed by compare-and-swap only. So of a promotion and
a removal at the same time one meets a channel that the other has changed, and gives way: there is no moment in which a
release is named and removed. The count of removals keeps it so when a whole one happens between two steps of a
promotion: stores tell versions apart by content alone, and without it the channel would be again what it was.
"""

import msgspec

from model_image.channel import PROMOTE, ROLLBACK, Channel, ChannelError
from model_image.channel_rollback import way_back

LAST = 5
"""Ways back that are kept, and as many former stable releases and canaries beside them."""


def held(channel: Channel, last: int = LAST) -> dict[str, str]:
    """The releases that may not be removed, with the reason for each.

    The ways back are counted apart from the former stable releases, most of which may be releases that were rolled back
    from. The last canaries are among what is held: a site's registry cache holds the latest releases of the history,
    also of those that were never stable.
    """
    found: dict[str, str] = {}
    if channel.stable:
        found[channel.stable] = "stable"
    if channel.canary:
        found.setdefault(channel.canary, "canary")
    were_stable: dict[str, str] = {}
    were_canary: dict[str, str] = {}
    for change in reversed(channel.history):
        if change.release in (channel.stable, channel.canary):
            continue
        if change.action in (PROMOTE, ROLLBACK):
            were_stable.setdefault(change.release, f"one of the last {last} stable")
        else:
            were_canary.setdefault(change.release, f"one of the last {last} canaries")
    for some in (were_stable, were_canary):
        for release in list(some)[:last]:
            found.setdefault(release, some[release])
    for release in way_back(channel)[:last]:
        found.setdefault(release, f"one of the last {last} ways back")
    return found


def begun(channel: Channel, release: str, *, last: int = LAST) -> Channel:
    """The channel that says `release` is being removed, unchanged where it says so. Raises `ChannelError` for one that
    is held."""
    if reason := held(channel, last).get(release):
        raise ChannelError(f"release: {release}, it is {reason} of {channel.model} and stays")
    if release in channel.collecting:
        return channel
    return msgspec.structs.replace(
        channel, collecting=(*channel.collecting, release), collections=channel.collections + 1
    )


def done(channel: Channel, release: str) -> Channel:
    """The channel after `release` is gone, or stays after all."""
    if release not in channel.collecting:
        return channel
    return msgspec.structs.replace(channel, collecting=tuple(other for other in channel.collecting if other != release))
