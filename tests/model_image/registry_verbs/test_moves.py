"""The verbs that move a channel, as a person at three in the morning meets them."""

import json
import os
import subprocess
import sys

import pytest

from model_image import artefact, cli_canary, cli_promote, cli_publish, cli_releases, cli_rollback
from model_image.registry import Registry
from tests.model_image.registry.conftest import measure, measured
from tests.model_image.registry_verbs.conftest import Verb


def test_a_sealed_folder_is_published_and_one_of_another_model_or_unsealed_is_not(run, sealed, tmp_path) -> None:
    folder = sealed("red")
    code, out, err = run(cli_publish, "--folder", str(folder))
    assert (code, out.strip()) == (0, artefact.verify(folder).digest)
    assert "uploaded" in err
    code, _, err = run(cli_publish, "--folder", str(folder), "--model", "other")
    assert (code, "--model: 'other', expected 'search'" in err) == (2, True)
    assert run(cli_publish, "--folder", str(tmp_path))[0] == 1


def test_a_promotion_says_what_was_what_is_and_the_way_back(run: Verb, registry: Registry, digests) -> None:
    registry.record_evaluation("search", digests[1], measured(measure(0, 1), other=digests[0]))
    code, out, _ = run(cli_promote, digests[1][:16])
    assert code == 0
    assert f"before: stable {digests[0]}" in out
    assert f"now:    stable {digests[1]}" in out
    assert "every 5 s" in out
    back = out.rpartition("way back: scripts/rollback ")[2].split()
    assert run(cli_rollback, *back[2:])[0] == 0
    assert registry.channel("search").stable == digests[0]
    assert "nothing to change" in run(cli_promote, digests[0])[1]


def test_a_promotion_that_the_gate_refuses_tells_one_reason_a_line_and_force_is_recorded(
    run, registry, digests
) -> None:
    worse = measured(measure(-0.2, -0.1), measure(-0.3, -0.2, segment="tail"), other=digests[0])
    registry.record_evaluation("search", digests[1], worse)
    code, out, err = run(cli_promote, digests[1])
    assert (code, out) == (1, "")
    assert [line.split(":")[0] for line in err.splitlines() if line.startswith("  ")] == [
        "  search ndcg@10 on all",
        "  search ndcg@10 on tail",
    ]
    assert "--force --why" in err
    assert run(cli_promote, digests[1], "--force")[0] == 2
    code, _, err = run(cli_promote, digests[1], "--force", "--why", "recall", "--who", "ada")
    assert (code, err.count("overridden:")) == (0, 2)
    table = run(cli_releases, "history")[1]
    assert "promote, forced" in table
    assert table.count("overridden:") == 2
    last = json.loads(run(cli_releases, "history", "--json")[1])[-1]
    assert (last["who"], last["why"], len(last["forced"])) == ("ada", "recall", 2)
    assert last["metrics"] == {"search ndcg@10": 0.55}


def test_a_canary_starts_grows_and_ends(run: Verb, registry: Registry, digests) -> None:
    code, out, _ = run(cli_canary, digests[1], "--percent", "10")
    assert (code, f"canary {digests[1]} for 10 %" in out, "--end" in out) == (0, True, True)
    assert run(cli_canary, digests[1], "--percent", "20")[0] == 0
    code, out, _ = run(cli_canary, "--end")
    assert (code, f"{digests[1]} --percent 20" in out) == (0, True)
    assert registry.channel("search").canary is None


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--end", "sha256-1"], "--end alone"), (["sha256-1"], "--percent: None"), (["x", "--percent", "51"], "1 to 50")],
)
def test_a_canary_that_makes_no_sense_is_bad_input(run: Verb, words: list[str], told: str) -> None:
    code, _, err = run(cli_canary, *words)
    assert (code, told in err) == (2, True)


def test_rollbacks_go_back_step_by_step_and_then_say_that_there_is_nothing_more(run, registry, digests) -> None:
    for digest in digests[1:]:
        run(cli_promote, digest, "--force", "--why", "x")
    run(cli_canary, digests[0], "--percent", "5")
    for wanted in (digests[1], digests[0]):
        code, out, _ = run(cli_rollback, "--why", "bad")
        assert (code, f"now:    stable {wanted}" in out) == (0, True)
        assert registry.channel("search").canary is None
    code, _, err = run(cli_rollback, "--why", "bad")
    assert (code, "no release was stable before" in err) == (1, True)
    assert run(cli_rollback, "--why", " ")[0] == 2


def test_a_rollback_without_a_reason_is_bad_input(run: Verb) -> None:
    with pytest.raises(SystemExit) as ended:
        run(cli_rollback)
    assert ended.value.code == 2


def test_a_digest_that_names_none_or_several_is_bad_input(run: Verb, digests) -> None:
    for text in ("sha256-", "zz"):
        code, _, err = run(cli_promote, text)
        assert (code, "scripts/releases list" in err) == (2, True)


def test_help_teaches_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from model_image import cli_canary, cli_promote, cli_publish, cli_releases, cli_rollback\n"
        "for verb in (cli_canary, cli_promote, cli_publish, cli_releases, cli_rollback):\n"
        "    assert 'exit codes: 0 done' in verb._parser().format_help()\n"
        "assert not {'torch', 'duckdb', 'sklearn', 'lightgbm', 'boto3'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
