"""The server's layers import downwards only, and nothing heavy before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

SERVER = Path(__file__).parents[3] / "model_image" / "server"


def test_the_backend_contract_stays_small() -> None:
    assert len((SERVER / "backend.py").read_text().splitlines()) <= 100


def test_the_application_starts_without_torch_faiss_and_the_aws_sdk() -> None:
    heavy = {"torch", "transformers", "faiss", "boto3"}
    code = f"import sys, model_image.server.app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=SERVER.parents[1])
    assert done.stdout.strip() == "[]", done.stderr


LAYERS = (
    {"errors", "logs", "processors", "words"},
    {"backend", "classified", "config", "metrics", "lifecycle"},
    {"backends", "scheduling", "releases"},
    {"scores", "computation", "retrieval", "answers"},
    {"web"},
    {"app"},
    {"__main__"},
)
"""Rooms and modules from the lowest up; none imports from above, and rooms of one layer do not know each other."""


def room(path: Path) -> str:
    return path.relative_to(SERVER).parts[0].removesuffix(".py")


def imports(module: Path) -> set[str]:
    """Top-level names and the server's own modules, also those that functions import."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_no_module_imports_from_a_layer_above() -> None:
    height = {name: at for at, layer in enumerate(LAYERS) for name in layer}
    for path in SERVER.rglob("*.py"):
        own = room(path)
        if own in ("__init__", "backend"):  # the contract names its implementations, and imports the chosen one
            continue
        assert own in height, f"{path}: give it a layer"
        others = {name.split(".")[2] for name in imports(path) if name.startswith("model_image.server.")} - {own}
        assert all(height[name] <= height[own] for name in others), path


def test_computing_waiting_and_releases_know_nothing_of_each_other() -> None:
    apart = LAYERS[2]
    for path in SERVER.rglob("*.py"):
        if (own := room(path)) in apart:
            others = {".".join(name.split(".")[:3]) for name in imports(path)}
            assert not others & {f"model_image.server.{other}" for other in apart - {own}}, path


def test_only_the_web_room_knows_http() -> None:
    for path in SERVER.rglob("*.py"):
        if room(path) not in ("web", "app", "__main__", "lifecycle"):
            assert not {name.split(".")[0] for name in imports(path)} & {"starlette", "uvicorn", "h11"}, path
