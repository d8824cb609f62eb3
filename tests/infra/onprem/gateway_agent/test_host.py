from pathlib import Path

import pytest

from infra.onprem.gateway_agent.host import remarks


def node(folder: Path, *, forward: int = 1, everywhere: int = 0, device: int = 0) -> Path:
    for file, value in (("ip_forward", forward), ("conf/all/rp_filter", everywhere), ("conf/vpn1/rp_filter", device)):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"{value}\n")
    return folder


def test_a_node_that_forwards_nothing_is_told(tmp_path: Path) -> None:
    [remark] = remarks("vpn1", node(tmp_path, forward=0))
    assert remark.startswith("net.ipv4.ip_forward is 0")


@pytest.mark.parametrize(
    ("everywhere", "device", "strict"),
    [(0, 0, False), (0, 1, True), (1, 0, True), (1, 1, True), (2, 1, False), (1, 2, False)],
)
def test_a_strict_path_filter_is_told_and_a_loose_one_is_none(
    tmp_path: Path, everywhere: int, device: int, strict: bool
) -> None:
    found = remarks("vpn1", node(tmp_path, everywhere=everywhere, device=device))
    assert ["vpn1.rp_filter is strict" in remark for remark in found] == [True] * strict


def test_a_kernel_without_these_settings_has_nothing_to_tell(tmp_path: Path) -> None:
    assert remarks("vpn1", tmp_path) == []
