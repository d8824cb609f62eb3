"""`scripts/releases`: what it shows, and that it removes nothing unasked."""

import json

import msgspec

from model_image import channel as channels
from model_image import cli_canary, cli_releases
from model_image.registry import Registry
from tests.model_image.registry.conftest import measured
from tests.model_image.registry_verbs.conftest import Verb


def test_releases_are_listed_with_their_place_and_shown_with_all_that_is_known(run, registry, digests) -> None:
    run(cli_canary, digests[1], "--percent", "10")
    registry.record_evaluation("search", digests[0], measured())
    lines = run(cli_releases, "list")[1].splitlines()
    assert [word in "\n".join(lines) for word in ("stable", "canary 10 %", "search ndcg@10 0.55")] == [True] * 3
    rows = json.loads(run(cli_releases, "list", "--json")[1])
    assert {row["digest"]: row["place"] for row in rows} == {
        digests[0]: "stable",
        digests[1]: "canary 10 %",
        digests[2]: "",
    }
    shown = json.loads(run(cli_releases, "show", digests[0])[1])
    assert (shown["place"], len(shown["history"]), len(shown["evaluations"])) == ("stable", 1, 1)
    assert shown["manifest"]["files"]["x.json"]["size"] == 3


def test_a_difference_names_files_provenance_and_numbers(run: Verb, registry: Registry, digests) -> None:
    registry.record_evaluation("search", digests[0], measured())
    lines = json.loads(run(cli_releases, "diff", digests[0], digests[1], "--json")[1])
    assert {line["what"] for line in lines} >= {"data_revision", "size", "file x.json", "search ndcg@10"}
    code, _, err = run(cli_releases, "diff", digests[0], digests[0])
    assert (code, "no difference" in err) == (0, True)


def test_a_collection_only_looks_unless_it_is_told_to_delete(run: Verb, registry: Registry, digests) -> None:
    for words in ((), ("--dry-run",), ("--older-than", "0")):
        code, out, _ = run(cli_releases, "gc", *words)
        assert (code, "nothing was removed" in out, len(registry.releases("search"))) == (0, True, 3)
    code, out, _ = run(cli_releases, "gc", "--delete")
    assert "removed 0 bytes" in out
    assert run(cli_releases, "gc", "--last", "-1")[0] == 2
    assert run(cli_releases, "gc", "--older-than", "0", "--delete")[0] == 0
    assert [found.digest for found in registry.releases("search")] == [digests[0]]


def test_a_missing_registry_and_a_channel_of_a_later_image_are_errors_with_a_way_out(run, registry, tmp_path) -> None:
    code, _, err = run(cli_releases, "list", place=tmp_path / "absent")
    assert (code, "create it or name another registry" in err) == (1, True)
    later = msgspec.structs.replace(channels.Channel(model="search"), schema=2)
    registry.store.put("channels/search.json", channels.encode(later), expected=None)
    code, _, err = run(cli_releases, "history")
    assert (code, "schema is 2" in err) == (1, True)
