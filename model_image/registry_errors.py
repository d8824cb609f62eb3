"""What the registry refuses. Troubles of the storage itself are `stores.StoreError`."""


class RegistryError(Exception):
    """A request the registry cannot fulfil; the message says what to do instead."""


class ReleaseNotFoundError(RegistryError):
    """No such release, or one whose publishing never finished."""


class IncompleteReleaseError(RegistryError):
    """A release with a manifest and without all its files: it can be published again, and not be named before."""


class GateError(RegistryError):
    """A promotion that the evaluation does not bear out: the `reasons`, one line each, and the commands that make the
    evaluation that is missing, if one is."""

    def __init__(self, message: str, reasons: tuple[str, ...], steps: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons
        self.steps = steps


class ChannelConflictError(RegistryError):
    """Somebody else moved the channel between reading and writing it; nothing was changed."""


class BrokenDownloadError(RegistryError):
    """The bytes that arrived are not the release's, also after repeated attempts."""


class DiskFullError(RegistryError):
    """The release does not fit on the disk; nothing was downloaded."""
