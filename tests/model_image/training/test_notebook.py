"""The notebooks lie in the repository without outputs, and their cells run in order, without Jupyter."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model_image.registry import open_registry

CHECKOUT = Path(__file__).parents[3]
NOTEBOOKS = sorted((CHECKOUT / "model_image").rglob("*.ipynb"))
FROM_DATA = CHECKOUT / "model_image" / "training" / "from_data_to_release.ipynb"
PARAMETERS = "parameters"
"""Tag of the cell that says what a reader may change."""


def test_the_notebooks_are_found() -> None:
    assert FROM_DATA in NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_of_format_4_5_with_an_id_for_each_cell_and_no_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    cells = notebook["cells"]
    assert {cell["cell_type"] for cell in cells} <= {"code", "markdown"}
    ids = Counter(cell["id"] for cell in cells)
    assert [name for name, times in ids.items() if times > 1 or not re.fullmatch("[a-zA-Z0-9_-]{1,64}", name)] == []
    assert [cell["id"] for cell in cells if not "".join(cell["source"]).strip()] == [], "empty"
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert [cell["id"] for cell in code if re.search("^ *[!%]", "".join(cell["source"]), re.M)] == [], "Jupyter's own"
    assert [cell["id"] for cell in cells if cell["cell_type"] != "code" and cell.keys() & {"outputs"}] == []
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    assert path.read_text(encoding="utf-8") == text, "written otherwise than Jupyter does, which makes long diffs"


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """The folder that a notebook works in; models of 0.6 GB do not stay behind."""
    yield tmp_path / "work"
    shutil.rmtree(tmp_path / "work", ignore_errors=True)


def test_from_data_to_release_ends_with_the_first_release_stable_again(work: Path, tmp_path: Path) -> None:
    script = _script(
        FROM_DATA, WORK=work, CUSTOMERS=100, QUERIES=1, STEPS=1, LATENCY_BUDGET=20, KEY="0123456789abcdef" * 4
    )
    done = _run(script, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    registry = open_registry(work / "registry")
    channel = registry.channel("search")
    assert [change.action for change in channel.history] == ["promote", "canary 10 %", "promote", "rollback"]
    first, trial, promoted, back = (change.release for change in channel.history)
    assert first != trial == promoted
    assert (channel.stable, channel.canary) == (first, None) == (back, None)
    assert {manifest.digest for manifest in registry.releases("search")} == {first, promoted}
    (evaluation,) = registry.evaluations("search", promoted)
    assert evaluation.compared_with(first) is not None, "the gate read a comparison with the stable release"
    assert channel.history[2].metrics["recommend ndcg@10"] > 0
    assert channel.history[2].forced == ()
    told = done.stdout.splitlines()
    assert [line for line in told if "anonymous" in line and "put aside" in line], "bad rows are told"
    assert [line for line in told if line.startswith("error: ") and "does not become stable" in line], (
        "refused at first"
    )
    assert (work / "evaluated" / "report.html").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notebook.py", "work"]


def test_a_run_begins_without_what_the_one_before_left_and_spares_what_it_did_not_make(
    work: Path, tmp_path: Path
) -> None:
    script = _script(FROM_DATA, until="helpers", WORK=work)
    work.mkdir()
    (work / "thesis.txt").touch()
    refused = _run(script, tmp_path)
    assert f"WORK: {work} was not made by this notebook; name another folder" in refused.stderr
    assert [path.name for path in work.iterdir()] == ["thesis.txt"]
    shutil.rmtree(work)
    for _ in range(2):
        assert _run(script, tmp_path).returncode == 0
        assert not (work / "prepared").exists()
        (work / "prepared").mkdir()
    assert (CHECKOUT / "scripts" / "prepare").is_file(), "the link to the verbs was removed, not the verbs"


def _script(path: Path, *, until: str = "", **parameters: Any) -> str:
    """The code cells in order, up to that of the id `until`, with other values for its parameters."""
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        parts.append(f"# {cell['id']}\n{source}\n")
        if PARAMETERS in cell["metadata"].get("tags", ()):
            given = set(re.findall(r"^(\w+) = ", source, re.M))
            assert parameters.keys() <= given, "the notebook has these parameters"
            values = {name: str(value) if isinstance(value, Path) else value for name, value in parameters.items()}
            parts += [f"{name} = type({name})({value!r})\n" for name, value in values.items()]
        if cell["id"] == until:
            break
    else:
        assert not until, f"{path.name}: no cell {until}"
    return "\n".join(parts)


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a new Python and in the folder of the notebook, as Jupyter does; the verbs are run by the same Python."""
    file = folder / "notebook.py"
    file.write_text(script, encoding="utf-8")
    environment = os.environ | {
        "HYBRID_SERVING_VENV": sys.prefix,  # is there already: nothing is to be installed
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # what Jupyter sets
    }
    command = [sys.executable, "-W", "error", str(file)]
    return subprocess.run(command, cwd=FROM_DATA.parent, env=environment, capture_output=True, text=True, timeout=900)
