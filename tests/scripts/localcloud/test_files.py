"""State files: whole at every moment, and read again only when they changed."""

from pathlib import Path

from scripts.localcloud.files import Watched, write_json


def test_a_file_is_written_only_when_its_content_changes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.json"
    assert write_json(path, {"a": 1})
    assert not write_json(path, {"a": 1})
    assert write_json(path, {"a": 2})
    assert [entry.name for entry in path.parent.iterdir()] == ["state.json"]


def test_a_reader_sees_what_was_written_last(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    watched = Watched(path, lambda value: value or "nothing yet")
    assert watched.read() == "nothing yet"
    for value in ("one", "two"):
        write_json(path, value)
        assert watched.read() == value


def test_an_unchanged_file_is_parsed_once(tmp_path: Path) -> None:
    path, parsed = tmp_path / "state.json", []
    watched = Watched(path, parsed.append)
    write_json(path, 1)
    watched.read()
    watched.read()
    assert parsed == [None, 1]
