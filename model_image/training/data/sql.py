"""Words of SQL."""

import glob
from collections.abc import Sequence
from pathlib import Path


def literal(text: str) -> str:
    """As SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column of somebody else's naming as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def strings(texts: Sequence[str]) -> str:
    """A list of texts."""
    return f"[{', '.join(map(literal, texts))}]::VARCHAR[]"


def parquet(*paths: Path, numbered: bool = False) -> str:
    """The rows of files, `numbered` by the column file_row_number; folders named like year=2026 are no columns, and no
    path is a pattern."""
    number = ", file_row_number = true" if numbered else ""
    return f"read_parquet({strings([glob.escape(str(path)) for path in paths])}, hive_partitioning = false{number})"
