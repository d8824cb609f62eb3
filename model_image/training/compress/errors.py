"""Why a release is not compressed."""


class CompressError(Exception):
    """A model would rank or decide otherwise than it did; the message has its agreement and the way out."""
