"""The sample catalogue and queries: invented for this project, no real shop's data."""

from pathlib import Path

CATALOGUE = Path(__file__).parent / "catalogue.csv"
QUERIES = Path(__file__).parent / "queries.csv"
