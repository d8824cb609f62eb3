"""API keys: who gets in, what is open, what a changed file changes, and that no key is told anywhere."""

import hashlib
import hmac
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.server.web import security
from model_image.server.web.operations import OPERATIONS
from model_image.server.web.security import OPEN, ApiKeys, read_keys
from model_image.words import ConfigError

KEY, OTHER = "shop-secret-1", "shop-secret-2"


def line(name: str, key: str) -> str:
    return f"{name} {hashlib.sha256(key.encode()).hexdigest()}\n"


def replace(path: Path, text: str) -> None:
    """As the kubelet does: another file takes the name."""
    new = path.with_name("new")
    new.write_text(text)
    os.replace(new, path)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"# shops\n\n{line('red', KEY)}")
    return path


@pytest.fixture
def guarded(start: Callable, folder_registry, make_release, keys: Path) -> Iterator:
    with start(api_keys=keys) as server:
        server.promote(folder_registry, make_release("red shoes"))
        yield server


@pytest.mark.parametrize(
    "headers", [{"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"}, {"x-api-key": KEY}]
)
def test_a_key_lets_in_by_either_header(guarded, headers: dict[str, str]) -> None:
    assert guarded.http.post("/v1/search", json={"query": "red"}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": OTHER},
        {"x-api-key": ""},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": "Bearer "},
        {"authorization": b"Bearer \xff\xfe"},
    ],
)
def test_without_a_known_key_the_answer_is_typed_and_says_nothing_of_what_was_sent(guarded, headers, caplog) -> None:
    caplog.set_level(logging.INFO)
    answer = guarded.http.post("/v1/search", json={"query": "secretword"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    told = answer.text + str([record.__dict__ for record in caplog.records])
    assert not [secret for secret in (KEY, OTHER, "secretword") if secret in told]


def test_only_what_machines_ask_is_open(guarded) -> None:
    status = {one.path: guarded.http.request(one.method, one.path).status_code for one in OPERATIONS}
    assert {path for path, code in status.items() if code != 401} == OPEN
    assert guarded.http.get("/nowhere").status_code == 401


def test_a_changed_file_takes_effect_at_once(guarded, keys: Path) -> None:
    def code(key: str) -> int:
        return guarded.http.post("/v1/search", json={"query": "red"}, headers={"x-api-key": key}).status_code

    assert (code(KEY), code(OTHER)) == (200, 401)
    replace(keys, line("blue", OTHER))
    assert (code(KEY), code(OTHER)) == (401, 200)
    replace(keys, "")
    assert (code(KEY), code(OTHER)) == (401, 401)


@pytest.mark.parametrize("spoil", [lambda path: replace(path, "red nothex\n"), Path.unlink])
def test_a_file_that_cannot_be_read_leaves_the_keys_before_and_is_logged_once(keys: Path, spoil, caplog) -> None:
    held = ApiKeys(keys)
    spoil(keys)
    assert held.name(KEY.encode()) == "red"
    assert held.name(KEY.encode()) == "red"
    assert len(caplog.records) == 1
    assert "nothex" not in str(caplog.records[0].__dict__)


def test_a_file_that_could_not_be_opened_is_tried_again_though_it_does_not_change(
    keys: Path, monkeypatch, caplog
) -> None:
    now = 0.0
    held, real = ApiKeys(keys, clock=lambda: now), security.read_keys
    tries = []

    def no_open_files(path: Path) -> None:
        tries.append(path)
        raise ConfigError("SERVING_API_KEYS", str(path), "cannot be read (OSError)")

    replace(keys, line("blue", OTHER))
    monkeypatch.setattr(security, "read_keys", no_open_files)
    assert [held.name(OTHER.encode()) for _ in range(5)] == [None] * 5
    now = security.RETRY_SECONDS
    assert [held.look() for _ in range(5)] == [False] * 5
    assert (len(tries), len(caplog.records)) == (2, 1)
    monkeypatch.setattr(security, "read_keys", real)
    now += security.RETRY_SECONDS
    assert (held.name(OTHER.encode()), held.name(KEY.encode()), held.look()) == ("blue", None, True)


def test_metrics_tell_that_the_keys_are_not_those_of_the_file(guarded, keys: Path) -> None:
    assert "serving_api_keys_stale 0.0" in guarded.http.get("/metrics").text
    replace(keys, "nothex")
    assert "serving_api_keys_stale 1.0" in guarded.http.get("/metrics").text
    replace(keys, line("red", KEY))
    assert "serving_api_keys_stale 0.0" in guarded.http.get("/metrics").text


@pytest.mark.parametrize("content", [b"red\n", b"red abc\n", b"red " + b"z" * 64, b"a b " + b"0" * 64, b"\xff"])
def test_a_bad_file_is_told_at_the_start_with_its_line_and_not_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys"
    path.write_bytes(line("blue", KEY).encode() + content)
    with pytest.raises(ConfigError, match=r"line 2: expected|cannot be read") as told:
        read_keys(path)
    assert "zzz" not in str(told.value)


def test_each_entry_is_compared_whichever_matches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys"
    path.write_text("".join(line(f"shop{at}", f"key{at}") for at in range(5)))
    held, compared, real = ApiKeys(path), [], hmac.compare_digest

    def compare(known: bytes, given: bytes) -> bool:
        compared.append(known)
        return real(known, given)

    monkeypatch.setattr(security.hmac, "compare_digest", compare)
    for key, name in (("key0", "shop0"), ("key4", "shop4"), ("none", None)):
        compared.clear()
        assert held.name(key.encode()) == name
        assert len(compared) == 5


@given(st.text(min_size=1))
def test_no_other_key_is_taken_for_a_known_one(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "one-key"
    if not path.exists():
        path.write_text(line("red", KEY))
    assert (ApiKeys(path).name(text.encode("utf-8", "surrogatepass")) is None) == (text != KEY)
