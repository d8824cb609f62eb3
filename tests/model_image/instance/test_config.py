"""The words the agent is configured by."""

from pathlib import Path

import pytest

from model_image.instance.config import ConfigError, read_config

WORDS = {
    "INSTANCE_METRICS": "HybridServing/prod",
    "INSTANCE_SLOT": "canary",
    "INSTANCE_LAUNCH_HOOK": "ready",
    "INSTANCE_TERMINATION_HOOK": "drain",
    "AWS_REGION": "eu-central-1",
}


def test_the_words_and_the_defaults_become_fields() -> None:
    config = read_config(WORDS | {"PATH": "/bin", "INSTANCE_SERVER": ""})
    assert (config.metrics, config.slot, config.launch_hook, config.termination_hook) == (
        "HybridServing/prod",
        "canary",
        "ready",
        "drain",
    )
    assert (config.server, config.phases) == ("http://127.0.0.1:8080", Path("/run/serving/phases"))
    assert (config.region, config.metadata) == ("eu-central-1", "http://169.254.169.254")


def test_metadata_is_found_by_the_sdks_own_word() -> None:
    address = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338/"}
    assert read_config(WORDS | address).metadata == "http://127.0.0.1:1338"


@pytest.mark.parametrize("word", sorted(WORDS))
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_word_is_named(word: str, empty: bool) -> None:
    words = WORDS | {word: ""} if empty else {key: value for key, value in WORDS.items() if key != word}
    with pytest.raises(ConfigError, match=f"{word}: not set, "):
        read_config(words)


@pytest.mark.parametrize(
    ("word", "value", "named"),
    [
        ("INSTANCE_SLOTS", "stable", r"INSTANCE_SLOTS: 'stable', unknown; the words are INSTANCE_LAUNCH_HOOK, "),
        ("INSTANCE_SLOT", "blue", "INSTANCE_SLOT: 'blue', expected one of stable, canary"),
        ("INSTANCE_SERVER", "127.0.0.1:8080", "INSTANCE_SERVER: '127.0.0.1:8080', expected http://"),
    ],
)
def test_a_bad_word_is_named_with_its_value_and_the_rule(word: str, value: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read_config(WORDS | {word: value})
