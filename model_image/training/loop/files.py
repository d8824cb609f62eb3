"""Which of the shop's tables lie in the folder that the loop is given."""

from pathlib import Path

from model_image.training.cli_prepare_parser import TABLES

_ENDINGS = (".parquet", ".pq", ".csv", ".csv.gz")


class InputFilesError(Exception):
    """The folder is not one of tables; the message says what is expected there."""


def find_tables(folder: Path) -> dict[str, str]:
    """Table to the path of its file or folder. Raises `InputFilesError`."""
    if not folder.is_dir():
        raise InputFilesError(f"TRAINING_INPUT: {folder} is no folder; mount the shop's tables there")
    found: dict[str, str] = {}
    for name, table in TABLES.items():
        there = [folder / name] if (folder / name).is_dir() else []
        there += [folder / f"{name}{ending}" for ending in _ENDINGS if (folder / f"{name}{ending}").is_file()]
        if len(there) > 1:
            told = ", ".join(path.name for path in there)
            raise InputFilesError(f"TRAINING_INPUT: {folder} has {told}, expected one of them; move the others away")
        if there:
            found[table] = str(there[0])
    if "products" not in found:
        seen = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise InputFilesError(
            f"TRAINING_INPUT: {folder} has {seen}, expected catalogue{_ENDINGS[0]} (or {', '.join(_ENDINGS[1:])}, or a "
            "folder of such)"
        )
    return found
