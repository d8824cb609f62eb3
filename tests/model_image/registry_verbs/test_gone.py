"""The verbs where a release is gone, or going, and where somebody else moves the channel at the same time."""

import dataclasses
from functools import partial

import pytest

from model_image import artefact, channel_collecting, cli_promote, cli_publish, cli_rollback, release_zero
from model_image.base import find_base
from model_image.registry import Registry, moving
from model_image.revisions import inputs
from tests.model_image.registry_verbs.conftest import Verb


def removing(registry: Registry, digest: str) -> None:
    """The removal of a release began, and was killed."""
    moving.replace(
        registry.store, registry.channel("search"), partial(channel_collecting.begun, release=digest, last=0)
    )


@pytest.mark.parametrize("how", ["without manifest", "without a file", "being removed"])
def test_a_rollback_names_the_first_way_back_that_is_still_there(run: Verb, registry, digests, how: str) -> None:
    oldest, gone, stable = digests
    for digest in (gone, stable):
        run(cli_promote, digest, "--force", "--why", "x")
    if how == "being removed":
        removing(registry, gone)
    else:
        name = "manifest.json" if how == "without manifest" else "x.json"
        registry.store.delete(f"releases/search/{gone}/{name}")
    code, _, err = run(cli_rollback, "--why", "bad")
    assert (code, f"--to {oldest}" in err, registry.channel("search").stable) == (1, True, stable)
    assert run(cli_rollback, "--why", "bad", "--to", oldest)[0] == 0


def test_a_rollback_with_nothing_left_says_where_to_look(run: Verb, registry: Registry, digests) -> None:
    run(cli_promote, digests[1], "--force", "--why", "x")
    registry.store.delete(f"releases/search/{digests[0]}/manifest.json")
    code, _, err = run(cli_rollback, "--why", "bad")
    assert (code, "scripts/releases list" in err) == (1, True)


def test_the_way_forth_after_a_rollback_says_what_the_gate_may_want(run: Verb, digests) -> None:
    run(cli_promote, digests[1], "--force", "--why", "x")
    out = run(cli_rollback, "--why", "bad")[1]
    assert f"{digests[1]}\n  (where its gate refuses that: with --force --why REASON)" in out


def test_what_was_overridden_is_told_though_somebody_moved_the_channel_at_once(
    run: Verb, registry: Registry, digests, monkeypatch
) -> None:
    replace = moving.replace

    def followed(store, seen, change):
        """The promotion, and right after it a rollback, before the channel is read again."""
        monkeypatch.setattr(moving, "replace", replace)
        replace(store, seen, change)
        return registry.roll_back("search", digests[0], who="bob", why="no")

    monkeypatch.setattr(moving, "replace", followed)
    code, _, err = run(cli_promote, digests[1], "--force", "--why", "x")
    assert (code, err.count("overridden:")) == (0, 1)


def test_a_release_on_its_way_out_is_not_said_to_be_published(
    run: Verb, registry: Registry, tmp_path, monkeypatch
) -> None:
    path, folder = tmp_path / "c.csv", tmp_path / "built"
    path.write_text("product_id,title\n1,red shoes\n")
    folder.mkdir()
    (folder / "x.json").write_text("as if built from it")
    manifest = artefact.seal(folder, model="search", **dataclasses.asdict(inputs(path, find_base())))
    assert run(cli_publish, "--folder", str(folder))[0] == 0
    assert "has the release of this catalogue already" in run(cli_publish, "--catalogue", str(path))[2]
    removing(registry, manifest.digest)

    def fail(*arguments: object, **options: object) -> None:
        raise OSError("built again")

    monkeypatch.setattr(release_zero, "build", fail)
    code, out, err = run(cli_publish, "--catalogue", str(path))
    assert (code, out, "built again" in err) == (1, "", True)
