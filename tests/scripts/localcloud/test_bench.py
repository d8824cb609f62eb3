"""A measurement compares like with like, and says what it was taken on."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.localcloud import bench
from scripts.localcloud.bench import show
from scripts.localcloud.console import BadInput
from scripts.localcloud.engine.preview_times import PREVIEW, Pairs, measure
from scripts.localcloud.engine.project import EngineError
from scripts.localcloud.engine.scratch import scratch

VERB = Path(__file__).parents[3] / "scripts" / "bench"
PROGRAM = """
import pulumi
import pulumi_aws as aws

aws.ecr.Repository("images", image_tag_mutability=pulumi.Config().get("tags") or "IMMUTABLE")
"""


def test_the_ratio_is_that_of_the_pairs_so_that_a_slow_minute_does_not_count() -> None:
    assert Pairs(empty=[1.0, 1.0, 10.0], stack=[1.4, 1.5, 15.0]).ratio == 1.5


def test_the_result_says_medians_ratio_aim_and_machine() -> None:
    text = show(Pairs(empty=[2.0, 3.0, 2.2], stack=[3.0, 3.3, 4.0]), resources=190)
    assert "190 resources" in text
    assert "median   3.30 s, 3.00 to 4.00 s" in text
    assert "median   2.20 s" in text
    assert "1.50 times the empty program (aim: at most 1.5)" in text
    assert "cores" in text


def test_no_run_at_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "preview", "--runs", "0"])
    with pytest.raises(BadInput, match="--runs 0"):
        bench.main()


def test_help_names_every_measurement() -> None:
    done = subprocess.run([VERB, "--help"], capture_output=True, text=True, check=True)
    assert "preview" in done.stdout


@pytest.mark.cloud
def test_the_empty_program_imports_what_the_stack_does_and_nothing_else_is_measured(
    tmp_path: Path,
) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (program / "__main__.py").write_text(PROGRAM)
    with scratch(tmp_path) as account:
        stack = account.project(tmp_path / "program", "test")
        pairs = measure(account, stack, runs=1)

        assert len(pairs.empty) == len(pairs.stack) == 1
        empty = (account.folder / "projects" / "empty" / "__main__.py").read_text()
        assert "'pulumi_aws.ecr.repository'" in empty
        assert "'pulumi_aws.ec2.vpc'" not in empty
        stack.configure(account.provider_config() | {"small:tags": "MUTABLE"})
        with pytest.raises(EngineError, match="no changes were expected"):
            stack.run(*PREVIEW, "--stack", "test")
