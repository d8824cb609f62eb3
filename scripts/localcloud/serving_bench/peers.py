"""Who is measured beside us over HTTP, and how each is asked."""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud.serving_bench.environments import HERE, VARIABLES, environment
from scripts.localcloud.serving_bench.names import INFINITY, SENTENCE_TRANSFORMERS
from scripts.localcloud.serving_bench.servers import Server, free_port, running
from scripts.localcloud.serving_bench.wire import HOST, prepared
from scripts.localcloud.serving_bench.workload import Request


class HttpPeer:
    """A server that reranks over HTTP. `label` says what it is in the report."""

    name: str
    label: str

    def prepare(self, model: Path) -> None:
        """Everything that is done once. Raises UserError when this peer cannot be had here."""

    def start(self, model: Path, first: Request, log: Path) -> AbstractContextManager[Server]:
        """The running server, which has answered `first` once."""
        raise NotImplementedError

    def wire(self, request: Request) -> bytes:
        """The request as it goes over the wire, for raw scores."""
        body = {"query": request.query, "texts": request.texts, "raw_scores": True}
        return prepared("/rerank", json.dumps(body).encode())

    def scores(self, body: bytes) -> list[float]:
        """The scores in an answer, in the order of the texts."""
        return _in_order(json.loads(body), "score")


@dataclass(frozen=True)
class SentenceTransformers(HttpPeer):
    name: str = SENTENCE_TRANSFORMERS
    label: str = "sentence-transformers CrossEncoder + FastAPI, fp32"

    def prepare(self, model: Path) -> None:
        environment(self.name)

    def start(self, model: Path, first: Request, log: Path) -> AbstractContextManager[Server]:
        port = free_port()
        program = str(HERE / "programs" / "sentence_transformers_server.py")
        argv = [str(environment(self.name)), program, str(model), str(port)]
        return running(argv, port=port, env=VARIABLES, log=log, first=self.wire(first))


@dataclass(frozen=True)
class Infinity(HttpPeer):
    """In bf16 it is slower than in fp32 where the processor has AVX512-BF16 and no AMX: both are worth a visit."""

    dtype: str = "bfloat16"
    name: str = INFINITY

    @property
    def label(self) -> str:  # type: ignore[override]
        return f"infinity (torch), {self.dtype}"

    def prepare(self, model: Path) -> None:
        environment(INFINITY)

    def start(self, model: Path, first: Request, log: Path) -> AbstractContextManager[Server]:
        port = free_port()
        argv = [str(environment(INFINITY).with_name("infinity_emb")), "v2", "--model-id", str(model)]
        argv += ["--served-model-name", "model", "--device", "cpu", "--engine", "torch", "--dtype", self.dtype]
        argv += ["--host", HOST, "--port", str(port), "--log-level", "warning"]
        return running(argv, port=port, env=VARIABLES, log=log, first=self.wire(first))

    def wire(self, request: Request) -> bytes:
        body = {"model": "model", "query": request.query, "documents": request.texts, "raw_scores": True}
        return prepared("/rerank", json.dumps(body).encode())

    def scores(self, body: bytes) -> list[float]:
        return _in_order(json.loads(body)["results"], "relevance_score")


def _in_order(results: list[dict[str, Any]], score: str) -> list[float]:
    return [float(result[score]) for result in sorted(results, key=lambda result: int(result["index"]))]
