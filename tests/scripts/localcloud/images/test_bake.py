import configparser
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from scripts.localcloud.images import bake, recipe

BAKED = bake.Baked(digest="sha256:1", image="1", size=10, storage="/storage")


def settings(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_the_hosts_own_package_index_is_used_in_the_build():
    found = settings(bake.pip_settings("global.index-url='https://example.test/%40'\n:env:.timeout='180'\n"))
    assert found.get("global", "index-url") == "https://example.test/%40"
    assert found.get("global", "timeout") == "180"


def test_a_setting_of_one_command_stays_with_that_command():
    found = settings(bake.pip_settings("install.no-binary='one\\ntwo'\n"))
    assert found.get("install", "no-binary").split() == ["one", "two"]
    assert not found.has_option("global", "no-binary")


def test_the_build_trusts_the_certificates_mounted_into_it():
    for listed in ("", "global.cert='/home/user/ca.pem'\n"):
        assert settings(bake.pip_settings(listed)).get("global", "cert") == str(bake.CERTIFICATES)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "model_image").mkdir()
    for name in (*recipe.LAYER_FILES, "source.py"):
        (tmp_path / "model_image" / name).write_text(name)
    return tmp_path


class Baking(Exception):
    """Raised where a real bake would begin."""


def test_an_image_is_known_by_its_source_and_baked_once(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*packages: str) -> None:
        raise Baking

    monkeypatch.setattr(bake.tools, "apt", begin)
    with pytest.raises(Baking):
        bake.bake(checkout)
    record = recipe.home(checkout) / f"{recipe.image_key(checkout)}.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(asdict(BAKED)))
    assert bake.bake(checkout) == BAKED
    (checkout / "model_image" / "source.py").write_text("changed")
    with pytest.raises(Baking):
        bake.bake(checkout)
