import os
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.aws.load_balancer import IDLE_SECONDS
from model_image.server import __main__ as server
from model_image.server.__main__ import _HELP, web_settings
from model_image.server.config import Config, read_config
from model_image.server.metrics import Metrics
from model_image.server.processors import processors
from model_image.words import ConfigError

NEEDED = {"SERVING_SITE": "aws", "SERVING_SLOT": "canary", "SERVING_REGISTRY": "s3://models"}


def settings() -> Any:
    return web_settings(read_config(NEEDED), SimpleNamespace(state=SimpleNamespace(metrics=Metrics())))


def test_three_words_are_enough_and_the_rest_has_defaults() -> None:
    config = read_config({**NEEDED, "PATH": "/bin", "SERVING_MODEL": ""})
    assert (config.site, config.slot, config.registry) == ("aws", "canary", "s3://models")
    assert (config.model, config.port, config.poll_seconds, config.backend) == ("search", 8080, 5, "auto")
    assert config.data == Path("/var/lib/serving")
    assert config.threads == processors()
    assert (config.batch_tokens, config.max_wait_seconds, config.timeout_seconds) == (0, 0.5, 10)
    assert (config.cache_mb, config.memory_mb, config.rerank_candidates, config.max_slowdown) == (64, 0, 100, 3)
    assert (config.api_keys, config.tls_client_ca) == (None, None)


@pytest.mark.parametrize("word", sorted(NEEDED))
def test_a_missing_word_is_told(word: str) -> None:
    with pytest.raises(ConfigError, match=f"{word}: not set, expected"):
        read_config({key: value for key, value in NEEDED.items() if key != word})


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("SERVING_SITE", "moon"),
        ("SERVING_SLOT", "blue"),
        ("SERVING_REGISTRY", "ftp://x"),
        ("SERVING_REGISTRY", "s3://Not A Bucket"),
        ("SERVING_MODEL", "Not A Model"),
        ("SERVING_MODEL", "../../etc"),
        ("SERVING_CONNECTIONS", "0"),
        ("SERVING_PORT", "0"),
        ("SERVING_PORT", "80.5"),
        ("SERVING_POLL_SECONDS", "often"),
        ("SERVING_POLL_SECONDS", "nan"),
        ("SERVING_THREADS", "0"),
        ("SERVING_BACKEND", "jax"),
        ("SERVING_BATCH_TOKENS", "-1"),
        ("SERVING_MAX_WAIT_SECONDS", "0"),
        ("SERVING_TIMEOUT_SECONDS", "301"),
        ("SERVING_CACHE_MB", "1.5"),
        ("SERVING_MEMORY_MB", "-5"),
        ("SERVING_RERANK_CANDIDATES", "0"),
        ("SERVING_MAX_SLOWDOWN", "0.9"),
        ("SERVING_API_KEYS", "/nowhere/keys"),
        ("SERVING_TLS_CLIENT_CA", "/nowhere/ca.pem"),
        ("SERVING_TLS_CERT", "/nowhere/cert.pem"),
        ("SERVING_COLOUR", "red"),
    ],
)
def test_a_bad_or_unknown_word_is_refused_with_its_value(word: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{word}: '{value}'"):
        read_config({**NEEDED, word: value})


def test_the_rule_of_a_registry_and_a_model_is_the_registry_s_own() -> None:
    for word, value, rule in (("REGISTRY", "ftp://x", "expected s3://<bucket>"), ("MODEL", "A", "expected at most 63")):
        with pytest.raises(ConfigError) as told:
            read_config({**NEEDED, f"SERVING_{word}": value})
        assert str(told.value).startswith(f"SERVING_{word}: {value!r}, {rule}")


@pytest.mark.parametrize(
    ("files", "allowed"),
    [
        ({}, None),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
    ],
)
def test_threads_are_no_more_than_a_container_may_use(tmp_path: Path, files: dict, allowed: int | None) -> None:
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert processors(tmp_path) == (allowed or len(os.sched_getaffinity(0)))


def test_no_library_takes_more_threads_than_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**NEEDED, "SERVING_THREADS": "3"}
    monkeypatch.setattr(server.os, "environ", environment)
    monkeypatch.setattr(server.sys, "argv", ["server"])
    monkeypatch.setattr(server, "_serve", lambda config: 0)
    assert server.main() == 0
    assert (environment["RAYON_NUM_THREADS"], environment["OMP_NUM_THREADS"]) == ("3", "1")


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").touch()
    with pytest.raises(ConfigError, match="SERVING_TLS_KEY: not set, set both"):
        read_config({**NEEDED, "SERVING_TLS_CERT": str(tmp_path / "cert.pem")})


def test_a_client_authority_without_https_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    with pytest.raises(ConfigError, match=r"SERVING_TLS_CLIENT_CA: .*needs HTTPS"):
        read_config({**NEEDED, "SERVING_TLS_CLIENT_CA": str(tmp_path / "ca.pem")})


def test_the_help_names_every_word() -> None:
    words = {f"SERVING_{field.name.upper()}" for field in fields(Config)}
    assert not [word for word in words if word not in _HELP]


def test_the_load_balancer_closes_an_idle_connection_before_the_server_does() -> None:
    assert settings().timeout_keep_alive > IDLE_SECONDS


def test_no_header_chooses_whose_request_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert not settings().proxy_headers
