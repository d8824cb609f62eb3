"""Names of users depend on the key alone, and the key is nowhere but in its file."""

import hmac
import resource
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.training.data.errors import InputError
from model_image.training.data.pseudonyms import Pseudonyms, new_key, read_key

_KEY = bytes(range(40))


@given(st.text(), st.binary(min_size=40, max_size=40).filter(lambda key: len(set(key)) > 7 and key != _KEY))
def test_a_name_is_the_keyed_hash_of_the_id(user: str, other: bytes) -> None:
    name = Pseudonyms(_KEY).of(user)
    assert name == hmac.new(_KEY, user.encode(), "sha256").hexdigest()[:32]
    assert name != Pseudonyms(other).of(user)


def test_a_new_key_is_closed_to_others_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "users.key"
    new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 64
    read_key(path)
    with pytest.raises(InputError, match=r"users\.key: no key was written \(File exists\)"):
        new_key(path)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o660])
def test_a_key_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "users.key"
    path.write_bytes(_KEY)
    path.chmod(mode)
    with pytest.raises(InputError, match=f"mode is {mode:04o}.*chmod 600"):
        read_key(path)


@pytest.mark.parametrize("key", [b"", b"x" * 31, bytes(31), bytes(64), b"ab" * 40])
def test_a_key_that_could_be_guessed_is_refused_without_showing_it(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "users.key"
    path.write_bytes(key)
    path.chmod(0o600)
    with pytest.raises(InputError, match=rf"key: {len(key)} bytes, expected 32 random") as caught:
        read_key(path)
    assert not key or key.decode() not in str(caught.value)


def test_a_key_that_is_not_there_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no key.*--new-key"):
        read_key(tmp_path / "absent")


def test_the_key_is_not_in_what_is_printed_of_it() -> None:
    assert repr(Pseudonyms(_KEY)) == "Pseudonyms(...)"


def test_a_full_disk_leaves_no_part_of_a_key(tmp_path: Path) -> None:
    """What a full disk does to a write, without one: files of this process may have 10 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(InputError, match=r"users\.key: no key was written"):
            new_key(tmp_path / "users.key")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "users.key").exists()
