"""Changing a channel: one compare-and-swap on the version that the change was made from."""

from collections.abc import Callable

from model_image import channel as channels
from model_image.channel import Channel
from model_image.registry.keys import channel_key
from model_image.registry.reading import read_channel
from model_image.registry_errors import ChannelConflictError
from model_image.stores import ConflictError, ObjectStore


def replace(store: ObjectStore, seen: Channel, change: Callable[[Channel], Channel]) -> Channel:
    """Store what `change` makes of `seen` and return the channel as it is then; without a change nothing is written.

    Raises `ChannelConflictError` where the stored channel is not `seen` any more, and what `change` raises.
    """
    moved = change(seen)
    if moved is seen:
        if read_channel(store, seen.model, unless=seen).etag != seen.etag:
            raise ChannelConflictError(_beaten(store, seen))
        return seen
    try:
        store.put(channel_key(seen.model), channels.encode(moved), expected=seen.etag)
    except ConflictError as error:
        raise ChannelConflictError(_beaten(store, seen)) from error
    return read_channel(store, seen.model)


def _beaten(store: ObjectStore, seen: Channel) -> str:
    """What happened meanwhile, for the one who lost."""
    now = read_channel(store, seen.model)
    news = [f"{each.who}: {each.action} {each.release} ({each.why})" for each in now.history[len(seen.history) :]]
    return (
        f"{store}: channel {seen.model!r} was moved by somebody else meanwhile"
        + (f" ({'; '.join(news)})" if news else "")
        + "; nothing was changed, look at the channel and try again"
    )
