"""Promises of the cache of built tools."""

from pathlib import Path

import pytest

from scripts.localcloud import tools


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "hybrid-serving"


def test_what_is_made_once_is_found_again(cache: Path) -> None:
    made: list[Path] = []
    assert tools.cached("thing", "make a thing", made.append) == tools.cached("thing", "make a thing", made.append)
    assert made == [cache / "thing"]


def test_what_failed_or_was_killed_half_way_is_made_anew(cache: Path) -> None:
    def fail(into: Path) -> None:
        (into / "half").touch()
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        tools.cached("thing", "make a thing", fail)
    folder = tools.cached("thing", "make a thing", lambda into: (into / "all").touch())
    assert sorted(path.name for path in folder.iterdir()) == [tools.WHOLE, "all"]


def test_a_changed_pin_is_another_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tools._folder("pulumi")
    (tmp_path / "pulumi").mkdir()
    (tmp_path / "pulumi" / "go.mod").write_text("another pin")
    monkeypatch.setattr(tools, "RECIPES", tmp_path)
    assert tools._folder("pulumi") != before


def test_every_recipe_has_programs_and_a_usual_time() -> None:
    assert {path.name for path in tools.RECIPES.iterdir()} == set(tools.TARGETS) == set(tools.USUAL)


def test_no_two_recipes_make_a_program_of_the_same_name() -> None:
    programs = [program for recipe in tools.TARGETS.values() for program in recipe]
    assert len(programs) == len(set(programs))


def test_the_provider_serves_the_version_of_the_pinned_python_sdk() -> None:
    pins = (Path(__file__).parents[3] / "requirements.txt").read_text().splitlines()
    assert f"pulumi-kubernetes=={tools.KUBERNETES_SDK} \\" in pins
