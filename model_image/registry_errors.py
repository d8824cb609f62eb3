"""What the registry refuses. Troubles of the storage itself are `stores.StoreError`."""


class RegistryError(Exception):
    """A request the registry cannot fulfil; the message says what to do instead."""


class ReleaseNotFoundError(RegistryError):
    """No such release, or one whose publishing never finished."""


class ChannelConflictError(RegistryError):
    """Somebody else moved the channel between reading and writing it; nothing was changed."""


class BrokenDownloadError(RegistryError):
    """The bytes that arrived are not the release's, also after repeated attempts."""


class DiskFullError(RegistryError):
    """The release does not fit on the disk; nothing was downloaded."""
