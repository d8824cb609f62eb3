"""User ids under a keyed hash: nobody without the key can tell who it is, or try all ids until one fits.

HMAC-SHA256 (RFC 2104) of the id in UTF-8, 32 hex digits (128 bits) kept: two of a billion users share one with a
chance of 1 in 10^21. The key is in a file and nowhere else: neither in what is written nor in arguments nor in logs.
"""

import hmac
import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path

from model_image.training.data.errors import InputError

DIGITS = 32
_LEAST = 32  # bytes, as many as the hash has
_MOST = 4096
_CACHED = 1 << 16
_FORBIDDEN = 0o027  # the group may read: that is how a mounted secret reaches a process that is not root


class Pseudonyms:
    """Names users by one key."""

    def __init__(self, key: bytes) -> None:
        """Raises `InputError` for a key that could be guessed."""
        if len(key) < _LEAST or len(set(key)) < 8:
            raise InputError(f"key: {len(key)} bytes, expected {_LEAST} random ones or more; make it with --new-key")
        self._key = key
        self.of = lru_cache(maxsize=_CACHED)(self._of)

    def __repr__(self) -> str:
        return "Pseudonyms(...)"

    def _of(self, user: str) -> str:
        """32 hex digits."""
        return hmac.digest(self._key, user.encode(), "sha256").hex()[:DIGITS]


def read_key(path: Path) -> Pseudonyms:
    """The names under the key in `path`. Raises `InputError` where others could read it or it is too short."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _FORBIDDEN:
                raise InputError(f"{path}: mode is {mode:04o}, expected no access for others; chmod 600 it")
            key = file.read(_MOST + 1)
    except OSError as error:
        raise InputError(f"{path}: no key ({error.strerror}); make one with --new-key {path}") from error
    if len(key) > _MOST:
        raise InputError(f"{path}: above {_MOST} bytes, expected a key; make one with --new-key")
    try:
        return Pseudonyms(key)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def new_key(path: Path) -> None:
    """Write 32 random bytes in hex to a file of mode 0600. Raises `InputError` where a file is already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"{path}: no key was written ({error.strerror}); name a new file") from error
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets.token_hex(_LEAST))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InputError(
            f"{path}: no key was written ({error.strerror}); make room, or name a file elsewhere"
        ) from error
