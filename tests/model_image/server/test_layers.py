"""The server's layers import downwards only, and nothing heavy before it is needed."""

import subprocess
import sys
from pathlib import Path

SERVER = Path(__file__).parents[3] / "model_image" / "server"


def test_the_backend_contract_stays_small() -> None:
    assert len((SERVER / "backend.py").read_text().splitlines()) <= 100


def test_the_application_starts_without_torch_and_without_the_aws_sdk() -> None:
    code = "import sys, model_image.server.app; print(sorted({'torch', 'transformers', 'boto3'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=SERVER.parents[1])
    assert done.stdout.strip() == "[]", done.stderr


def test_backends_know_nothing_of_http() -> None:
    for path in [*SERVER.glob("backends/*.py"), SERVER / "backend.py", SERVER / "release.py"]:
        assert "starlette" not in path.read_text(), path
        assert "routes" not in path.read_text(), path
