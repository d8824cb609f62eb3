"""Build, publish and serve the sample with the real encoder."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from model_image import artefact, catalogue, cli_publish, release_zero, revisions, sample
from model_image.base import find_base
from model_image.embed import embed_texts
from model_image.registry import open_registry
from model_image.server.backend import open_backend
from model_image.server.releases.release import Release, load_release
from model_image.settings import ModelError
from model_image.tables import TableError


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    release_zero.build(sample.CATALOGUE, folder, find_base())
    return folder


def load(folder: Path) -> Release:
    return load_release(folder, artefact.verify(folder).digest, open_backend("cpu", threads=1))


@pytest.fixture(scope="module")
def release(built: Path) -> Release:
    return load(built)


def search(release: Release, query: str, k: int) -> list[dict[str, Any]]:
    """The `k` products nearest to `query`, best first, with their `score`."""
    vector = embed_texts(release.encoder, [query])[0]
    return [
        {**msgspec.json.decode(release.products.line(row)), "score": score}
        for row, score in release.index.search(vector, k)
    ]


def test_the_release_holds_encoder_index_and_catalogue_and_nothing_that_runs_code(built: Path) -> None:
    assert set(artefact.verify(built).files) == {
        "catalogue.jsonl",
        "encoder/config.json",
        "encoder/model.safetensors",
        "encoder/settings.json",
        "encoder/tokenizer.json",
        "index.safetensors",
    }


def test_the_same_catalogue_gives_the_same_digest_and_another_one_does_not(built: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    again.mkdir()
    other.mkdir()
    digest = artefact.verify(built).digest
    assert release_zero.build(sample.CATALOGUE, again, find_base()).digest == digest
    shorter = tmp_path / "shorter.csv"
    shorter.write_text("".join(sample.CATALOGUE.read_text().splitlines(keepends=True)[:-1]))
    assert release_zero.build(shorter, other, find_base()).digest != digest


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("something to fry a steak in", "Cast iron skillet, 26 cm"),
        ("running sneakers for ladies", "Cushioned road running shoes for women"),
        ("headphones that block noise on a plane", "Wireless over-ear headphones with noise cancelling"),
        ("chair for back pain at work", "Office chair with lumbar support"),
        ("water the lawn", "Garden hose with spray gun, 20 metres"),
        ("sun protection for face", "Sunscreen lotion SPF 50 for sensitive skin"),
    ],
)
def test_the_sensible_product_of_the_sample_is_found(release: Release, query: str, title: str) -> None:
    assert title in [result["title"] for result in search(release, query, 3)]


def test_every_sample_query_is_answered_best_first(release: Release) -> None:
    for query in catalogue.read_queries(sample.QUERIES):
        scores = [result["score"] for result in search(release, query.query, 10)]
        assert len(scores) == 10
        assert scores == sorted(scores, reverse=True)


def test_a_bad_row_is_told_before_the_long_work(tmp_path: Path) -> None:
    path, folder = tmp_path / "c.csv", tmp_path / "out"
    path.write_text("product_id,title\n1,a\n2,\n")
    folder.mkdir()
    with pytest.raises(TableError, match="line 3, column 'title'"):
        release_zero.build(path, folder, find_base())
    assert not (folder / "encoder").exists()


def test_publish_promotes_and_is_idempotent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, registry = tmp_path / "c.csv", tmp_path / "registry"
    path.write_text("sku,title,price\n1,red shoes,5\n2,blue kettle,\n")
    registry.mkdir()
    command = ["--catalogue", str(path), "--registry", str(registry), "--column", "product_id=sku"]
    assert cli_publish.main([*command, "--promote", "--who", "ada", "--why", "first"]) == 0
    digest = capsys.readouterr().out.strip()
    channel = open_registry(registry).channel("search")
    assert (channel.stable, channel.history[0].who, channel.history[0].why) == (digest, "ada", "first")
    assert cli_publish.main([*command, "--promote"]) == 0
    output = capsys.readouterr()
    assert output.out.strip() == digest
    assert "already" in output.err
    assert "embedded" not in output.err
    assert open_registry(registry).channel("search") == channel


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--catalogue", "none.csv"], 2, "an existing file"),
        (["--column", "product_id"], 2, "OURS=THEIRS"),
        (["--registry", "s3://no/such"], 1, "s3://<bucket>"),
        (["--registry", "absent"], 1, "no such folder"),
    ],
)
def test_publish_ends_with_a_clear_message_and_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    assert cli_publish.main(["--registry", str(tmp_path), *arguments]) == code
    assert told in capsys.readouterr().err


def test_real_queries_are_answered_about_as_well_as_the_encoder_alone(data_dir: Path, tmp_path: Path) -> None:
    """MiniLM on titles, whole catalogue, gives NDCG@10 of .585 by the data's own notes."""
    import pyarrow.parquet

    data = data_dir / "esci_us_150"
    release_zero.build(data / "products.parquet", tmp_path, find_base())
    release = load(tmp_path)
    gains: dict[str, dict[str, float]] = {}
    for row in pyarrow.parquet.read_table(data / "judgments.parquet").to_pylist():
        gains.setdefault(str(row["query_id"]), {})[row["product_id"]] = row["gain"]
    discounts = 1 / np.log2(np.arange(2, 12))
    scores = []
    for query in catalogue.read_queries(data / "queries.parquet"):
        judged = gains[query.query_id]
        found = [judged.get(result["id"], 0) for result in search(release, query.query, 10)]
        ideal = sorted(judged.values(), reverse=True)[:10]
        scores.append(found @ discounts / (ideal @ discounts))
    print(f"NDCG@10 {np.mean(scores):.4f} over {len(scores)} queries")
    assert np.mean(scores) > 0.57


def test_a_pair_of_a_query_and_a_product_reads_what_was_embedded(release: Release) -> None:
    for row, product in enumerate(catalogue.read_catalogue(sample.CATALOGUE)):
        assert release.products.text(row) == release_zero.embedded_text(product)
        assert release.products.row(product.product_id) == row


def test_a_catalogue_that_changes_during_the_build_is_refused(tmp_path: Path) -> None:
    """Its rows in another order would give products the vectors of others."""
    path, folder = tmp_path / "c.csv", tmp_path / "out"
    path.write_text("product_id,title\n1,red shoes\n2,blue kettle\n")
    folder.mkdir()

    def reorder(done: int, total: int) -> None:
        path.write_text("product_id,title\n2,blue kettle\n1,red shoes\n")

    with pytest.raises(TableError, match="a file that stays as it is during the build"):
        release_zero.build(path, folder, find_base(), progress=reorder)
    assert not (folder / "manifest.json").exists()


def test_all_workers_have_work_between_two_reports_of_progress(tmp_path: Path) -> None:
    products = [catalogue.Product(product_id=str(at), title="a") for at in range(25)]
    sizes, told = [], []

    def embed(texts) -> np.ndarray:
        sizes.append(len(texts))
        return np.ones((len(texts), 1), dtype=np.float32)

    release_zero.write_vectors(tmp_path, embed, products, 25, lambda done, total: told.append(done), chunk=10)
    assert (sizes, told) == ([10, 10, 5], [10, 20, 25])


def test_a_change_of_the_code_that_builds_or_of_its_libraries_is_another_input(monkeypatch) -> None:
    here = Path(revisions.__file__).parent
    for name in revisions._SOURCES:
        assert list(here.glob(f"{name}.py")), name
    before = revisions.inputs(sample.CATALOGUE, find_base())
    for name in ("_SOURCES", "_LIBRARIES"):
        with monkeypatch.context() as patch:
            patch.setattr(revisions, name, getattr(revisions, name)[:-1])
            assert revisions.inputs(sample.CATALOGUE, find_base()).code_revision != before.code_revision


def test_every_module_that_a_build_imports_counts_as_its_code(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("product_id,title\n1,red shoes\n")
    (tmp_path / "out").mkdir()
    code = (
        "import sys; from pathlib import Path; from model_image import base, release_zero\n"
        "release_zero.build(Path('c.csv'), Path('out'), base.find_base())\n"
        "print(*(module.__file__ for name, module in sys.modules.items() if name.startswith('model_image')))"
    )
    here = Path(revisions.__file__).parent
    run = [sys.executable, "-c", code]
    done = subprocess.run(
        run, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(here.parent)}, capture_output=True, text=True, check=True
    )
    imported = {Path(name) for name in done.stdout.split()}
    counted = {path for name in revisions._SOURCES for path in here.glob(f"{name}.py")}
    empty = {here / "__init__.py", here / "server" / "__init__.py", here / "server" / "backends" / "__init__.py"}
    assert imported - counted - empty == set()


@pytest.mark.parametrize("error", [ModelError("a model"), OSError("no space left")], ids=repr)
def test_a_disk_or_a_model_that_fails_ends_publish_with_its_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(release_zero, "build", fail)
    assert cli_publish.main(["--registry", str(tmp_path)]) == 1
    assert str(error) in capsys.readouterr().err
