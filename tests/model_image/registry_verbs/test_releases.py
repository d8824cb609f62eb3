"""`scripts/releases`: what it shows, and that it removes nothing unasked."""

import json

import msgspec
import pytest

from model_image import artefact, cli_canary, cli_promote, cli_releases, evaluation
from model_image import channel as channels
from model_image.registry import Registry
from tests.model_image.registry.conftest import measure, measured
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


def test_a_collection_is_not_told_both_to_look_and_to_delete(run: Verb, registry: Registry, digests) -> None:
    with pytest.raises(SystemExit) as ended:
        run(cli_releases, "gc", "--older-than", "0", "--dry-run", "--delete")
    assert ended.value.code == 2
    assert len(registry.releases("search")) == 3


def test_a_release_becomes_a_folder_again_and_a_folder_of_something_else_is_left_alone(run, digests, tmp_path) -> None:
    target = tmp_path / "got"
    for _ in range(2):
        code, out, _ = run(cli_releases, "get", digests[1][:16], str(target))
        assert (code, out.strip()) == (0, str(target))
    assert artefact.verify(target).digest == digests[1]
    (tmp_path / "mine").mkdir()
    for taken in (target, tmp_path / "mine"):
        code, _, err = run(cli_releases, "get", digests[2], str(taken))
        assert (code, "name another one" in err, taken.is_dir()) == (2, True, True)
    assert artefact.verify(target).digest == digests[1]


def test_an_evaluation_is_recorded_and_its_release_passes_the_gate(run, registry, digests, tmp_path) -> None:
    assert "scripts/releases record" in run(cli_promote, digests[1])[2]
    file = tmp_path / "evaluation.json"
    file.write_bytes(evaluation.encode(measured(measure(0, 1), other=digests[0])))
    code, out, _ = run(cli_releases, "record", digests[1], str(file))
    assert (code, out.startswith(f"evaluations/search/{digests[1]}/")) == (0, True)
    assert len(registry.evaluations("search", digests[1])) == 1
    assert run(cli_promote, digests[1])[0] == 0


def test_what_is_no_evaluation_or_of_no_release_is_not_recorded(run, registry, digests, tmp_path) -> None:
    file = tmp_path / "evaluation.json"
    for text in ("{}", None):
        if text:
            file.write_text(text)
        else:
            file.unlink()
        code, _, err = run(cli_releases, "record", digests[1], str(file))
        assert (code, "evaluation.json" in err) == (2, True)
    file.write_bytes(evaluation.encode(measured()))
    assert run(cli_releases, "record", f"sha256-{'0' * 64}", str(file))[0] == 1
    assert registry.evaluations("search", digests[1]) == []
