"""How a release may be compressed, and the words of the command line for it. Needs no torch."""

import argparse

METHODS = {
    "bf16": "weights in two bytes for each number",
    "int8": "matrix products in 8-bit integers: 1.6 times as fast or more on CPUs that gain nothing from bfloat16",
}
LEAST = 0.99
"""Agreement of the rankings that is asked unless said otherwise: mean Spearman. MiniLM's queries in int8 keep .999 on
real products; int8 with steps found while serving kept .918 for a cross-encoder (both measured)."""


def add_compress(parser: argparse.ArgumentParser, *, below: str) -> None:
    """`compress`, a list of METHODS, and `agreement`; `below` says what happens below it."""
    told = "; ".join(f"{name}: {what}" for name, what in METHODS.items())
    parser.add_argument(
        "--compress",
        action="append",
        default=[],
        choices=sorted(METHODS),
        help=f"what rankings allow; repeatable ({told})",
    )
    parser.add_argument(
        "--agreement",
        type=_share,
        default=LEAST,
        metavar="LEAST",
        help="of rankings before and after, mean Spearman; of labels the share, of numbers the variance that stays: "
        f"below it {below} (default: {LEAST})",
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number above 0, at most 1, such as {LEAST}")
    return value
