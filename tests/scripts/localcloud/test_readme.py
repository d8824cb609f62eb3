"""What the README names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def test_every_verb_it_names_is_there_and_every_verb_is_named() -> None:
    verbs = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix}
    named = set(re.findall(r"scripts/([a-z]+)", README)) - {"localcloud"}
    [listed] = re.findall(r"one verb per file: ([a-z\s]+)\n  localcloud/", README)
    assert named <= verbs == set(listed.split())


def test_every_file_it_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README)]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
