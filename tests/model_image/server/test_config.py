import os
from dataclasses import fields
from pathlib import Path

import pytest

from infra.aws.load_balancer import IDLE_SECONDS
from model_image.server.__main__ import _HELP, web_settings
from model_image.server.config import Config, read_config
from model_image.words import ConfigError

NEEDED = {"SERVING_SITE": "aws", "SERVING_SLOT": "canary", "SERVING_REGISTRY": "s3://models"}


def test_three_words_are_enough_and_the_rest_has_defaults() -> None:
    config = read_config({**NEEDED, "PATH": "/bin", "SERVING_MODEL": ""})
    assert (config.site, config.slot, config.registry) == ("aws", "canary", "s3://models")
    assert (config.model, config.port, config.poll_seconds, config.backend) == ("search", 8080, 5, "auto")
    assert config.data == Path("/var/lib/serving")
    assert config.threads == len(os.sched_getaffinity(0))
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
    assert web_settings(read_config(NEEDED), None).timeout_keep_alive > IDLE_SECONDS
