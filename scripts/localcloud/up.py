"""The verb ``up``: from a bare machine to both sites answering one query, or what of that is missing."""

import argparse
from pathlib import Path

from scripts.localcloud.console import note, step

DESCRIPTION = """\
Set up the local cloud and do the main job: the stacks local-aws, local-onprem and local-dns, one image on both
sites, release 0 of a catalogue in the registry, and the same query answered by both sites.
A first run builds the tools and takes about 40 minutes on two cores, a later one 5 minutes. Safe to repeat:
what a killed run left is repaired. scripts/down removes everything.
"""
EXAMPLES = """\
examples:
  scripts/up
  scripts/up --catalogue products.parquet --queries queries.parquet
  scripts/up --catalogue items.csv --column product_id=stock_code
  scripts/up --weights 70 30           70 % of the look-ups to the site, 30 % to AWS
exit codes: 0 both sites answer, 1 a step failed, 2 bad input
"""


def main() -> int:
    options = _parser().parse_args()
    # Help must not wait for the Python packages, so what needs them is imported after it.
    from scripts.localcloud import main_job, preflight, report
    from scripts.localcloud.cloud import LocalCloud
    from scripts.localcloud.stack_config import Choices

    preflight.machine()
    inputs = main_job.check_inputs(options.catalogue, options.queries, options.column)
    onprem, aws = options.weights
    choices = Choices(instances=options.instances, replicas=options.replicas, onprem_weight=onprem, aws_weight=aws)
    reclaim_from_the_dead()
    cloud = LocalCloud.claim()
    with cloud.work():
        release = main_job.run(cloud, inputs, choices)
        report.show(cloud, inputs.queries, release)
    note(
        '\nBy hand: eval "$(scripts/env)", then for example: pulumi preview -s local-aws, kubectl get pods -n serving,'
    )
    note("customer dig search.shop.test, scripts/query 'your words'. The end of it all: scripts/down")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/up",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--catalogue",
        type=Path,
        metavar="FILE",
        help="products: CSV or Parquet with product_id and title; "
        "scripts/publish --help has all columns (default: a small sample)",
    )
    add(
        "--queries",
        type=Path,
        metavar="FILE",
        help="queries to ask: CSV or Parquet with query_id and query (default: the sample's)",
    )
    add(
        "--column",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="the catalogue calls our column OURS by the name THEIRS; may be repeated",
    )
    add(
        "--weights",
        nargs=2,
        type=_weight,
        default=[70, 30],
        metavar=("ONPREM", "AWS"),
        help="DNS weights, 1 to 255 (default: 70 30)",
    )
    add("--instances", type=_servers, default=2, metavar="N", help="servers on AWS (default: 2)")
    add("--replicas", type=_servers, default=2, metavar="N", help="servers on-prem (default: 2)")
    return parser


def reclaim_from_the_dead() -> None:
    """Remove local clouds whose checkout is gone: nobody else can say ``down`` for them."""
    from scripts.localcloud.cloud import MOST, LocalCloud
    from scripts.localcloud.down import remove

    for number in range(MOST):
        holder = LocalCloud.holder(number)
        if holder and not holder.exists():
            cloud = LocalCloud(number, holder)
            with cloud.work(), step(f"remove local cloud {number} of {holder}, which is gone"):
                remove(cloud)


def _servers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 4:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 1 to 4 is needed; each server takes 1 GB")
    return int(text)


def _weight(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 255:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 1 to 255 is needed; both sites are asked")
    return int(text)
