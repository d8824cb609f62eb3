"""What the verb ``query`` prints and refuses."""

import pytest

from scripts.localcloud import query
from scripts.localcloud.console import UserError
from scripts.localcloud.customer import Product, Reply, Split

REPLY = Reply(
    site="aws",
    slot="stable",
    release="sha256-1",
    image="repository@sha256:2",
    address="203.0.113.30",
    seconds=0.0123,
    products=(
        Product(rank=1, id="P1", title="Headphones", score=0.91),
        Product(rank=2, id="P2", title="Cable", score=0.5),
    ),
)


def test_a_reply_shows_where_it_came_from_and_the_products_by_rank() -> None:
    lines = query.show_reply(REPLY).splitlines()
    assert lines[0] == "site aws, slot stable at 203.0.113.30, 12 ms"
    assert lines[1].split() == ["release", "sha256-1"]
    assert lines[2].split() == ["image", "repository@sha256:2"]
    assert [line.split() for line in lines[3:]] == [["1", "0.9100", "P1", "Headphones"], ["2", "0.5000", "P2", "Cable"]]


@pytest.mark.parametrize(("p_value", "verdict"), [(0.5, "agrees with"), (0.000001, "does not agree with")])
def test_the_split_shows_counts_declared_shares_and_a_verdict(p_value: float, verdict: str) -> None:
    split = Split(counts={"onprem": 690, "aws": 310}, shares={"onprem": 0.7, "aws": 0.3}, p_value=p_value)
    text = query.show_split(split)
    assert "690 of 1000 = 69.0%, declared 70.0%" in text
    assert verdict in text


@pytest.mark.parametrize(
    ("argv", "named"),
    [([], "nothing to do"), (["a", "--k", "0"], "--k"), (["--lookups", "0"], "nothing to do|--lookups")],
)
def test_bad_input_is_refused(monkeypatch: pytest.MonkeyPatch, argv: list[str], named: str) -> None:
    monkeypatch.setattr("sys.argv", ["query", *argv])
    with pytest.raises(UserError, match=named):
        query.main()


def test_help_names_every_default(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["query", "--help"])
    with pytest.raises(SystemExit):
        query.main()
    text = capsys.readouterr().out
    assert "default: search.shop.test" in text
    assert "examples:" in text
