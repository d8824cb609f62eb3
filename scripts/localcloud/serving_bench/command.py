"""`scripts/bench serving`: its options, and what it says."""

import argparse
import tempfile
from pathlib import Path

from scripts.localcloud.console import BadInput, note
from scripts.localcloud.serving_bench.names import PEERS

DESCRIPTION = """\
Compare the server with its peers on the same weights, workload and cores, one at a time and in turns. The peers are
installed into environments of their own (8 GB with the project's own cache) the first time. About 3 minutes for
each run, and 20 before the first.

Leave the machine alone meanwhile. Without --data the texts are invented, the head is random, and nothing is said
about rankings.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with judged queries (esci_us_150, or the like)"
    )
    parser.add_argument(
        "--peers", nargs="*", default=list(PEERS), metavar="PEER", help=f"of {', '.join(PEERS)} (default: all)"
    )
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="visits of each (default: 3)")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of each window (default: 10)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Raises BadInput for options that make no sense, before anything is installed."""
    check(options)
    # Help must not wait for numpy and the tokenizer.
    from scripts.localcloud.serving_bench.judged import ShopData
    from scripts.localcloud.serving_bench.machine import machine
    from scripts.localcloud.serving_bench.measure import Benchmark, Options
    from scripts.localcloud.serving_bench.report import as_json, as_text

    data = ShopData(options.data) if options.data else None
    chosen = Options(data=data, peers=options.peers, runs=options.runs, seconds=options.seconds)
    with tempfile.TemporaryDirectory(prefix="hybrid-serving-bench-") as folder:
        results = Benchmark(chosen, Path(folder)).run()
    words = "real queries and products" if data else "invented texts"
    note(
        (as_json if options.json else as_text)(results, machine(), f"{words}, pairs of 53 tokens on average (8 to 128)")
    )
    return 0


def check(options: argparse.Namespace) -> None:
    """Raises BadInput."""
    if options.runs < 1:
        raise BadInput(f"--runs {options.runs}: 1 or more are needed")
    if not 1 <= options.seconds <= 60:
        raise BadInput(f"--seconds {options.seconds:g}: 1 to 60 are needed")
    for name in options.peers:
        if name not in PEERS:
            raise BadInput(f"--peers {name}: unknown; the peers are {', '.join(PEERS)}")
