import shutil
from pathlib import Path

import pytest

from scripts.localcloud.images import recipe


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "model_image"
    (folder / "server").mkdir(parents=True)
    for name in recipe.LAYER_FILES:
        (folder / name).write_text(f"# {name}\n")
    (folder / "server" / "config.py").write_text("PORT = 8080\n")
    return tmp_path


def keys(checkout: Path) -> tuple[str, str]:
    return recipe.layers_key(checkout), recipe.image_key(checkout)


def test_equal_content_has_equal_keys_wherever_the_checkout_lies(checkout: Path):
    before = keys(checkout)
    (checkout / "elsewhere").mkdir()
    (checkout / "model_image").rename(checkout / "elsewhere" / "model_image")
    assert keys(checkout / "elsewhere") == before


def test_a_source_change_gives_a_new_image_on_the_same_layers(checkout: Path):
    layers, image = keys(checkout)
    (checkout / "model_image" / "server" / "config.py").write_text("PORT = 8081\n")
    assert recipe.layers_key(checkout) == layers
    assert recipe.image_key(checkout) != image


def test_a_renamed_source_file_gives_a_new_image(checkout: Path):
    image = recipe.image_key(checkout)
    server = checkout / "model_image" / "server"
    (server / "config.py").rename(server / "settings.py")
    assert recipe.image_key(checkout) != image


@pytest.mark.parametrize("name", recipe.LAYER_FILES)
def test_a_new_recipe_or_lock_gives_new_layers(checkout: Path, name: str):
    layers, image = keys(checkout)
    with (checkout / "model_image" / name).open("a") as file:
        file.write("# changed\n")
    assert recipe.layers_key(checkout) != layers
    assert recipe.image_key(checkout) != image


def test_compiled_python_files_are_no_part_of_an_image(checkout: Path):
    before = keys(checkout)
    compiled = checkout / "model_image" / "server" / "__pycache__"
    compiled.mkdir()
    (compiled / "config.pyc").write_bytes(b"\0")
    assert keys(checkout) == before


def test_images_are_told_apart_and_each_follows_its_own_files_only(tmp_path: Path):
    shutil.copytree(recipe.checkout_root() / "infra" / "onprem", tmp_path / "infra" / "onprem")
    shutil.copytree(recipe.checkout_root() / "model_image", tmp_path / "model_image")
    before = {image.name: recipe.image_key(tmp_path, image) for image in recipe.RECIPES.values()}
    assert len(set(before.values())) == len(before)
    (tmp_path / "infra" / "onprem" / "gateway_agent" / "reasons.py").write_text("changed")
    (tmp_path / "infra" / "onprem" / "serving.py").write_text("changed")
    after = {image.name: recipe.image_key(tmp_path, image) for image in recipe.RECIPES.values()}
    assert [name for name in before if before[name] != after[name]] == ["vpn-gateway"]
    assert recipe.home(tmp_path, recipe.VPN_GATEWAY) != recipe.home(tmp_path, recipe.SERVING)


def test_the_gateway_s_base_has_all_that_its_containerfile_wants():
    listed = (recipe.checkout_root() / "infra/onprem/gateway_image/packages.txt").read_text().split()
    assert list(recipe.VPN_GATEWAY.packages) == listed == sorted(listed)
