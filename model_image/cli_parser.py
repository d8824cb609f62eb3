"""The parser of a verb, apart from all that takes time to import."""

import argparse
import shutil


def parser(verb: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser whose help keeps its line breaks."""
    width = max(80, shutil.get_terminal_size().columns)
    return argparse.ArgumentParser(
        prog=f"scripts/{verb}",
        description=description,
        epilog=examples,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=width),
    )
