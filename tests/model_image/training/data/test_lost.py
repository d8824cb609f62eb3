"""No row, file or column that was given is left out in silence."""

from typing import Any

import pytest

from model_image.training.data.errors import InputError
from model_image.training.dataset import EVENTS

_HEADER = b"product_id,title,tags\n"


@pytest.mark.parametrize(
    "more",
    [
        b"",  # to the end of the file
        b'q,"later",\n',  # to the next quote
        b'q,later",x,y\n',  # to a row of too many columns
        b'q,later"\n',  # to a row of too few
        b"q," + b"x" * 3_000_000 + b'",\n',
    ],
)
def test_an_open_quote_that_takes_in_other_rows_refuses_the_file(shop: Any, more: bytes) -> None:
    """Without a word about it 39 of these were lost, or three of them were one title."""
    path = shop.folder / "products.csv"
    rows = [b"p%d,%stitle %d,\n" % (at, b'"' * (at == 960), at) for at in range(1000)]
    path.write_bytes(_HEADER + b"".join(rows) + more)
    shop.inputs["products"] = str(path)
    with pytest.raises(InputError, match=r"products\.csv: row 961 runs on over the lines behind it"):
        shop.prepare()


def test_a_quote_that_closes_rows_later_is_no_title(shop: Any) -> None:
    path = shop.folder / "products.csv"
    path.write_bytes(b'product_id,title\np0,good\np1,"open\np2,two\np3,three"\np4,four\n')
    shop.inputs["products"] = str(path)
    done = shop.prepare().prepared.tables["products"]
    assert (done.kept, done.refused) == (2, {"line break in title": 1})


def test_files_of_one_name_are_told_apart(shop: Any, rows: Any) -> None:
    for day, time in (("1", "2026-01-01"), ("2", "never")):
        (shop.folder / "ev" / day).mkdir(parents=True)
        (shop.folder / "ev" / day / "part-0.csv").write_text(
            f"user_id,product_id,time\nu,p1,2026-01-0{day}\nu,p1,{time}\n"
        )
    shop.products().inputs["events"] = str(shop.folder / "ev" / "*" / "part-0.csv")
    done = shop.prepare()
    found = {name: digest for name, digest in done.prepared.inputs.items() if name.startswith("events")}
    assert set(found) == {"events/1/part-0.csv", "events/2/part-0.csv"}
    assert len(set(found.values())) == 2
    assert rows(done.folder / "refused" / EVENTS)[0]["place"] == "2/part-0.csv, row 2"


def test_what_of_a_folder_is_passed_over_is_told(shop: Any) -> None:
    folder = shop.folder / "items"
    (folder / "more").mkdir(parents=True)
    (folder / "a.csv").write_bytes(_HEADER + b"1,one,\n")
    for name in ("b.tsv", "more/c.csv", "_SUCCESS", ".a.csv.crc"):
        (folder / name).write_bytes(_HEADER)
    shop.inputs["products"] = str(folder)
    shop.prepare()
    assert any("passed over: b.tsv, more (2 in all)" in note for note in shop.notes)


def test_a_refused_row_has_its_number_in_every_shard(shop: Any, rows: Any) -> None:
    lines = ["u0,p1", *(f"u{at},p9,2026-01-01" for at in range(8))]
    (shop.folder / "events.csv").write_text(
        "\n".join(
            [
                "user_id,product_id,time",
                *lines,
                "u,p1,2026-01-01",
                "v,p1,2026-01-01",
                "w,p1,2026-01-01",
                "x,p1,2026-01-01",
                "",
            ]
        )
    )
    shop.products().inputs["events"] = str(shop.folder / "events.csv")
    places = [row["place"] for folder in shop.shards(2) for row in rows(folder / "refused" / EVENTS)]
    assert sorted(places) == [f"events.csv, row {at}" for at in range(1, 10)]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"events": {"qty": "sold"}}, "columns: events has no column 'qty' of ours, expected some of .*quantity"),
        ({"evnts": {"quantity": "sold"}}, "evnts: no table of that name, expected some of products, events"),
    ],
)
def test_a_misspelled_column_or_table_is_refused(shop: Any, columns: Any, told: str) -> None:
    """It was ignored: what was returned counted as bought."""
    shop.products().table("events", "user_id product_id time sold", ("u", "p1", "2026-01-01", "-1"))
    with pytest.raises(InputError, match=told):
        shop.prepare(columns=columns)
