"""What leaves the image is not missed, and what stays is compiled."""

import subprocess
import sys
from pathlib import Path

import pytest

from model_image import slim


def fill(site: Path) -> None:
    for pattern, _, _ in slim.REMOVED:
        path = site / pattern.rstrip("/").replace("*", "x")
        path.mkdir(parents=True, exist_ok=True)
        (path / "file").write_bytes(b"x")
    for service in slim.KEPT:
        (site / "botocore" / "data" / service).mkdir()
    (site / "torch" / "lib").mkdir(parents=True)


def test_what_is_listed_goes_and_all_else_stays(tmp_path: Path) -> None:
    fill(tmp_path)
    slim.remove(tmp_path)
    assert not (tmp_path / "triton").exists()
    assert not (tmp_path / "botocore" / "data" / "x").exists()
    # What the server, its credentials and the instance's agent call.
    for service in ("s3", "sts", "autoscaling", "cloudwatch"):
        assert (tmp_path / "botocore" / "data" / service).is_dir()
    assert (tmp_path / "torch" / "lib").is_dir()


def test_a_pattern_that_matches_nothing_ends_the_build(tmp_path: Path) -> None:
    fill(tmp_path)
    for path in (tmp_path / "triton").iterdir():
        path.unlink()
    (tmp_path / "triton").rmdir()
    with pytest.raises(SystemExit, match="triton: matches nothing"):
        slim.remove(tmp_path)


def test_what_is_loaded_at_every_start_needs_nothing_that_is_removed() -> None:
    """Attention on GPUs too, whose module brings torch's compiler along."""
    removed = [pattern for pattern, _, _ in slim.REMOVED if pattern.isidentifier()]
    assert "triton" in removed
    program = f"import sys\nfor name in {removed}: sys.modules[name] = None\nimport {', '.join(slim.LOADED)}\n"
    program += "print('torch.nn.attention.varlen' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
