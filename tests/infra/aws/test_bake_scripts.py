"""The steps of a build, run for real."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from model_image import artefact, release_zero
from model_image.catalogue import Product
from model_image.embed import embed_texts
from model_image.layout import ENCODER
from model_image.registry import open_registry
from model_image.server.backends.dummy import DummyBackend
from model_image.settings import ModelSettings, write_settings
from tests.infra.aws.baking import BuildMachine
from tests.infra.aws.test_bootstrap import CLOUD, IMAGE, files

RUNS = {"PreloadRelease": ("host", ""), "ServeCutOff": ("none", ":ro")}


@pytest.fixture
def build(tmp_path: Path) -> Iterator[BuildMachine]:
    with closing(BuildMachine(tmp_path)) as build:
        yield build


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release, in a folder that bears its digest."""
    folder = tmp_path_factory.mktemp("release") / "built"
    (folder / ENCODER).mkdir(parents=True)
    write_settings(folder / ENCODER, ModelSettings(max_tokens=32, dimension=64))
    products = [Product(product_id="p1", title="blue kettle")]
    release_zero.write_catalogue(folder, products)
    release_zero.write_vectors(folder, partial(embed_texts, DummyBackend().load(folder / ENCODER)), products, 1)
    made = artefact.seal(folder, model="search", base_model="dummy", data_revision="test", code_revision="test")
    return folder.rename(folder.with_name(made.digest))


def releases(build: BuildMachine) -> Path:
    return build.data / "releases/search"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, release: Path) -> Iterator[BuildMachine]:
    """A machine that went through all steps; before the last one the registry was gone."""
    with closing(BuildMachine(tmp_path_factory.mktemp("finished"))) as build:
        registry = open_registry(build.registry)
        registry.promote("search", registry.publish(release), who="test", why="test")
        for step in ("PullImage", "PreloadRelease", "InspectDisk", "ServeCutOff"):
            if step == "ServeCutOff":
                shutil.rmtree(build.registry)
            done = build.run(step)
            assert done.returncode == 0, f"{step}: {done.stderr}"
        yield build


def test_after_a_build_the_stable_release_is_whole_and_no_server_runs(finished: BuildMachine, release: Path) -> None:
    artefact.verify(releases(finished) / release.name, release.name)
    assert not finished.container.exists()


def test_an_instance_can_tell_that_its_image_was_baked(finished: BuildMachine) -> None:
    assert (finished.disk / "etc/serving/baked").read_text() == files(CLOUD)["/etc/serving/image"]


@pytest.mark.parametrize("step", RUNS)
def test_the_server_has_as_few_rights_as_on_an_instance(finished: BuildMachine, step: str) -> None:
    run = [line for line in finished.machine.called("docker") if line.startswith("docker run")][list(RUNS).index(step)]
    words, (network, write) = run.split(), RUNS[step]
    given = {f"{key} {value}" for key, value in pairwise(words)}
    assert {"--user 10001:10001", "--cap-drop ALL", "--security-opt no-new-privileges", "--pull never"} <= given
    assert {f"--network {network}", f"--volume {finished.data}:{finished.data}{write}"} <= given
    assert "--read-only" in words
    assert "--privileged" not in words
    assert words[-1] == str(IMAGE)


def test_the_image_is_pulled_by_digest_and_the_login_is_gone_afterwards(build: BuildMachine) -> None:
    done = build.run("PullImage")
    assert done.returncode == 0, done.stderr
    assert f"docker pull --quiet {IMAGE}" in build.machine.called("docker")
    login = Path((build.machine.folder / "login").read_text().strip())
    assert login.parent == build.temporary
    assert not login.exists()
    assert not any("the-password" in line for line in build.machine.called())


def test_a_pull_that_fails_fails_the_step_and_leaves_no_login_either(build: BuildMachine) -> None:
    build.machine.has("docker", body='[ "$1" = login ] && cat >"$DOCKER_CONFIG/config.json"')
    assert build.run("PullImage").returncode == 1
    assert build.machine.called("docker")[-1] == f"docker pull --quiet {IMAGE}"
    assert list(build.temporary.iterdir()) == []


def test_without_a_stable_release_the_build_fails_and_says_what_is_missing(build: BuildMachine) -> None:
    done = build.run("PreloadRelease", waits=4)
    assert done.returncode == 1
    assert "without a release until one is promoted" in done.stderr
    assert '"registry":"reachable"' in done.stderr
    assert not build.container.exists()
    assert not (build.disk / "etc/serving/baked").exists()


def test_a_server_that_ends_is_not_waited_for(build: BuildMachine) -> None:
    build.address = "ftp://nowhere"
    done = build.run("PreloadRelease")
    assert done.returncode == 1
    assert "expected s3://<bucket>" in done.stdout  # what the server said


@pytest.mark.parametrize("spoiled", ["nothing", "image", "no release", "two releases", "container", "login", "keys"])
def test_only_a_disk_that_may_be_copied_passes_inspection(build: BuildMachine, release: Path, spoiled: str) -> None:
    paths = {
        "image": build.machine.folder / "docker/image",
        "container": build.container,
        "login": build.disk / "root/.docker/config.json",
        "keys": build.disk / "root/.aws/credentials",
    }
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    if spoiled != "image":
        paths["image"].touch()
    if spoiled in ("container", "login", "keys"):
        paths[spoiled].touch()
    if spoiled != "no release":
        shutil.copytree(release, releases(build) / release.name)
    if spoiled == "two releases":
        shutil.copytree(release, releases(build) / f"sha256-{'0' * 64}")
    assert (build.run("InspectDisk").returncode == 0) == (spoiled == "nothing")
    build.container.unlink(missing_ok=True)


def test_a_copy_that_is_not_whole_fails_its_test_at_once(build: BuildMachine, release: Path) -> None:
    shutil.copytree(release, releases(build) / release.name)
    (releases(build) / release.name / "catalogue.jsonl").write_text("{}\n")
    done = build.run("ServeCutOff")
    assert done.returncode == 1
    assert '"refused":{' in done.stderr
    assert not build.container.exists()
