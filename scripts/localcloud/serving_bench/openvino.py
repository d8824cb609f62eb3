"""OpenVINO, without a server around it."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.console import UserError
from scripts.localcloud.serving_bench.environments import HERE, VARIABLES, environment
from scripts.localcloud.serving_bench.names import OPENVINO
from scripts.localcloud.serving_bench.workload import Request
from scripts.localcloud.shell import bound
from scripts.localcloud.tools import cached


@dataclass(frozen=True)
class OpenVino:
    """In its own process: nothing but tokenising and computing, in bf16 or, where that is faster, in fp32."""

    name: str = OPENVINO
    label: str = "OpenVINO in process, length-sorted"

    def prepare(self, model: Path) -> None:
        """Install and convert. Raises UserError when that cannot be done here."""
        self._converted(model)

    def speed(self, model: Path, requests: Sequence[Request], seconds: float) -> tuple[float, str]:
        """Pairs per second, and with which setting."""
        file = self._converted(model)
        asked = file.with_name(f"requests-{os.getpid()}.json")
        asked.write_text(json.dumps([[request.query, request.texts] for request in requests]))
        try:
            found = json.loads(self._program("run", str(model), str(file), str(asked), str(seconds)))
        finally:
            asked.unlink()
        return found["pairs_per_second"], found["setting"]

    def _converted(self, model: Path) -> Path:
        def convert(into: Path) -> None:
            self._program("convert", str(model), str(into / "model.xml"))

        return cached(f"bench/openvino-{model.name}", "convert the model for OpenVINO", convert, "20 s") / "model.xml"

    def _program(self, *words: str) -> str:
        argv = [str(environment(self.name)), str(HERE / "programs" / "openvino_in_process.py"), *words]
        done = subprocess.run(bound(argv), env={**os.environ, **VARIABLES}, text=True, capture_output=True)
        if done.returncode:
            raise UserError(f"{self.label}: ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout
