"""The verb ``query``: one search by the service's one name, answered by both sites."""

import argparse
import dataclasses
import json
from pathlib import Path

from scripts.localcloud import customer
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import BadInput, note
from scripts.localcloud.topology import SERVICE_NAME

EXAMPLES = """\
examples:
  scripts/query "wireless headphones"               ask both sites
  scripts/query "wireless headphones" --site aws    ask one site
  scripts/query --lookups 1000                      measure the split of the DNS answers
"""


def main() -> int:
    options = _parser().parse_args()
    if options.query is None and not options.lookups:
        raise BadInput("nothing to do: give a query, or --lookups N to measure the split")
    if options.k < 1 or (options.lookups is not None and options.lookups < 1):
        raise BadInput("--k and --lookups must be 1 or more")
    cloud = LocalCloud.find()
    service = customer.Service(name=options.name, ca=options.ca)
    replies = customer.ask(cloud, options.query, options.k, options.site, service) if options.query else []
    split = customer.split(cloud, options.lookups, service) if options.lookups else None
    if options.json:
        whole = {
            "query": options.query,
            "replies": [dataclasses.asdict(reply) for reply in replies],
            "split": dataclasses.asdict(split) if split else None,
        }
        note(json.dumps(whole, indent=2, ensure_ascii=False))
        return 0
    for reply in replies:
        note(show_reply(reply))
    if split:
        note(show_split(split))
    return 0


def show_reply(reply: customer.Reply) -> str:
    """One site's answer as text: where it came from, then the ranked products."""
    head = (
        f"site {reply.site}, slot {reply.slot} at {reply.address}, {reply.seconds * 1000:.0f} ms\n"
        f"  release {reply.release}\n  image   {reply.image or 'unknown'}"
    )
    rows = [f"  {product.rank:3}  {product.score:7.4f}  {product.id:<14} {product.title}" for product in reply.products]
    return "\n".join([head, *(rows or ["  no product found"])])


def show_split(split: customer.Split) -> str:
    """Counted and declared shares by site, and the test of their agreement."""
    total = sum(split.counts.values())
    rows = [
        f"  {site:<8} {count:6} of {total} = {count / total:.1%}, declared {split.shares.get(site, 0.0):.1%}"
        for site, count in split.counts.items()
    ]
    verdict = "agrees with the weights" if split.fits else "does not agree with the weights"
    return "\n".join(["split of the DNS answers:", *rows, f"  {verdict} (chi-square p = {split.p_value:.3f})"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/query",
        description="Search the shop as a customer does: by its one DNS name, over HTTPS, from the local internet.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("query", nargs="?", help="what to search for")
    parser.add_argument("--k", type=int, default=5, metavar="N", help="how many products (default: 5)")
    sites = [*customer.SITES, "both"]
    parser.add_argument("--site", choices=sites, default="both", help="who must answer (default: both)")
    parser.add_argument("--lookups", type=int, metavar="N", help="look the name up N times, compare with the weights")
    parser.add_argument("--name", default=SERVICE_NAME, help=f"name of the service (default: {SERVICE_NAME})")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificate authority (default: the local cloud's)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser
