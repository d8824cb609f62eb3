"""The whole benchmark: prepare everybody, then visit them in turns."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.console import UserError, progress_line, step
from scripts.localcloud.serving_bench.cross_encoder import cross_encoder
from scripts.localcloud.serving_bench.judged import ShopData
from scripts.localcloud.serving_bench.load import Window, closed_loop
from scripts.localcloud.serving_bench.names import INFINITY_FP32, OURS
from scripts.localcloud.serving_bench.openvino import OpenVino
from scripts.localcloud.serving_bench.ours import Ours
from scripts.localcloud.serving_bench.overload import overload
from scripts.localcloud.serving_bench.peers import HttpPeer, Infinity, SentenceTransformers
from scripts.localcloud.serving_bench.rankings import Rankings
from scripts.localcloud.serving_bench.results import InProcess, Results, Visit
from scripts.localcloud.serving_bench.servers import Server
from scripts.localcloud.serving_bench.workload import CANDIDATES, Request, Workload, load_tokenizer

CONNECTIONS = (1, 8)
_REQUESTS = 512  # drawn once; caches meet few of them again in one window
_IN_PROCESS = 64  # of them, where no server with a cache is asked
_WARM_SECONDS = 2.0
_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Options:
    """`peers` by their names; `seconds` of each window."""

    data: ShopData | None
    peers: Sequence[str]
    runs: int
    seconds: float


class Benchmark:
    """One run of the benchmark; our registry and all logs lie in `folder`."""

    def __init__(self, options: Options, folder: Path) -> None:
        self.options, self.folder, self.results = options, folder, Results()
        self.model = cross_encoder(options.data)
        with step(f"draw {_REQUESTS} requests", "30 s"):
            self.requests = _drawn(self.model, options.data)
        infinities = Infinity(), Infinity("float32", INFINITY_FP32)
        everybody: list[HttpPeer] = [Ours(folder), Ours(folder, int8=True), SentenceTransformers(), *infinities]
        self.servers = [peer for peer in everybody if peer.name in (OURS, *options.peers)]
        self.openvino = [peer for peer in (OpenVino(),) if peer.name in options.peers]
        peers: list[HttpPeer | OpenVino] = [*everybody, OpenVino()]
        for peer in peers:
            self.results.labels[peer.name] = peer.label
            if peer.name not in (OURS, *options.peers):
                self.results.not_run[peer.name] = "not asked for"

    def run(self) -> Results:
        self._prepare()
        for turn in range(self.options.runs):
            shift = turn % max(1, len(self.servers))  # another one first each time
            for server in self.servers[shift:] + self.servers[:shift]:
                with self._or_not_run(server), self._step(turn, server.label, 2 * self.options.seconds + 12):
                    self.results.visits.setdefault(server.name, []).append(self._visit(server))
            for peer in list(self.openvino):
                with self._or_not_run(peer), self._step(turn, peer.label, self.options.seconds + 20):
                    speed, setting = peer.speed(self.model, self.requests[:_IN_PROCESS], self.options.seconds)
                    runs = self.results.in_process.setdefault(peer.name, [])
                    runs.append(InProcess(pairs_per_second=speed, setting=setting))
        for server in self.servers:
            if server.name == OURS:
                try:
                    with step("five times more questions than we can answer", "30 s"):
                        self._overload(server)
                except (UserError, OSError) as error:
                    self.results.not_run["overload"] = str(error)
        return self.results

    def _prepare(self) -> None:
        """Install and start everybody once: later starts find their files in memory. Rankings are compared here."""
        rankings = Rankings(self.options.data, self.model) if self.options.data else None
        if rankings:
            rankings.note_weights(self.results)
        else:
            self.results.not_run["quality"] = "needs --data, a random head's order is noise"
        for server in list(self.servers):
            with self._or_not_run(server):
                server.prepare(self.model)
                title = f"{server.label}: first start{' and rankings' * bool(rankings)}"
                with step(title, "1 minute"), self._started(server) as process:
                    if rankings:
                        rankings.compare(server, process, self.results)
        for peer in list(self.openvino):
            with self._or_not_run(peer):
                peer.prepare(self.model)

    def _visit(self, peer: HttpPeer) -> Visit:
        with self._started(peer) as process:
            windows = {connections: self._window(peer, process, connections) for connections in CONNECTIONS}
            return Visit(first_answer=process.first_answer, windows=windows, memory=process.memory())

    def _overload(self, peer: HttpPeer) -> None:
        with self._started(peer) as process:
            # One that refuses already at 8 connections can do more than it answers there.
            alone, usual = (self._window(peer, process, connections) for connections in CONNECTIONS)
            self.results.overload = overload(
                process,
                [peer.wire(request) for request in self.requests],
                capacity=max(alone.pairs_per_second, usual.pairs_per_second) / CANDIDATES,
                usual_p99=usual.at(0.99),
                seconds=self.options.seconds,
            )

    def _window(self, peer: HttpPeer, process: Server, connections: int) -> Window:
        """Raises UserError when nothing was answered: there is no speed to compare then."""
        seconds = self.options.seconds
        wire = [peer.wire(request) for request in self.requests]
        window = closed_loop(
            process.port, wire, pairs_each=CANDIDATES, connections=connections, seconds=seconds, warm=_WARM_SECONDS
        )
        if window.failures and peer.name == OURS:
            self.results.not_run["usual"] = f"at c={connections}, questions were refused by status {window.failures}"
        if not window.latencies:
            refused = f", refused by status {window.failures}" if window.failures else ""
            raise UserError(f"no answer in {seconds:g} s at c={connections}{refused}; try more --seconds")
        return window

    def _started(self, peer: HttpPeer) -> AbstractContextManager[Server]:
        return peer.start(self.model, self.requests[-1], self.folder / f"{peer.name}.log")

    def _step(self, turn: int, label: str, seconds: float) -> AbstractContextManager[None]:
        return step(f"run {turn + 1} of {self.options.runs}: {label}", f"{seconds:.0f} s")

    @contextmanager
    def _or_not_run(self, peer: HttpPeer | OpenVino) -> Iterator[None]:
        """A peer that fails is left out from there on, and the report says why."""
        try:
            yield
        except (UserError, OSError) as error:
            progress_line(f"{peer.label}: left out: {error}")
            self.results.leave_out(peer.name, str(error))
            self.servers = [server for server in self.servers if server.name != peer.name]
            self.openvino = [other for other in self.openvino if other.name != peer.name]


def _drawn(model: Path, data: ShopData | None) -> list[Request]:
    queries, passages = ([one.query for one in data.queries], data.passages) if data else ([], [])
    workload = Workload(load_tokenizer(model), queries=queries, passages=passages)
    return list(itertools.islice(workload.requests(_SEED), _REQUESTS))
