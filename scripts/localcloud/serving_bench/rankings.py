"""Every server's ranking of the judged products, held to that of fp32.

Once over all queries with all their products, and once over those queries that training never saw, with lists of as
many candidates as a request has, drawn several times: 40 queries alone could not tell 99 % from 97 %.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from random import Random

from scripts.localcloud.serving_bench import quality
from scripts.localcloud.serving_bench.judged import ShopData
from scripts.localcloud.serving_bench.peers import HttpPeer
from scripts.localcloud.serving_bench.results import Results
from scripts.localcloud.serving_bench.servers import Server
from scripts.localcloud.serving_bench.workload import CANDIDATES

_ORDERS = 20  # random ones, for what any order would reach
_DRAWS = 20  # lists of each held-out query


class Rankings:
    """The reference and the lists it is of."""

    def __init__(self, data: ShopData, model: Path) -> None:
        self._data = data
        self._wanted = quality.reference(data, model)
        self._kept = [at for at, judged in enumerate(data.queries) if judged in data.held_out]

    def note_weights(self, results: Results) -> None:
        """Note how well the weights themselves rank what training never saw: that they are trained at all."""
        chance = Random(0)
        queries = self._data.queries
        reached = [quality.ndcg(self._wanted[at], queries[at].grades) for at in self._kept]
        any_order = [
            quality.ndcg([chance.random() for _ in queries[at].texts], queries[at].grades)
            for at in self._kept
            for _ in range(_ORDERS)
        ]
        results.ndcg = statistics.mean(reached), statistics.mean(any_order)

    def compare(self, peer: HttpPeer, server: Server, results: Results) -> None:
        """Ask the server for all lists and note how near it is."""
        seen = quality.ask_all(peer, server.port, quality.requests(self._data.queries))
        results.agreement[peer.name] = quality.agreement(self._wanted, seen)
        results.held_out[peer.name] = quality.agreement(self._drawn(self._wanted), self._drawn(seen))

    def _drawn(self, scores: Sequence[Sequence[float]]) -> list[list[float]]:
        """Scores of the drawn lists; of the same candidates at each call."""
        chance = Random(0)
        drawn = []
        for at in self._kept:
            for _ in range(_DRAWS):
                candidates = chance.sample(range(len(scores[at])), min(CANDIDATES, len(scores[at])))
                drawn.append([scores[at][candidate] for candidate in candidates])
        return drawn
