"""What the agent does with its files, with stand-ins for charon, BIRD and what asks them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.onprem.gateway_agent import serve
from infra.onprem.gateway_agent.__main__ import _round
from infra.onprem.gateway_agent.gateway import Gateway
from infra.onprem.gateway_agent.plan import Tunnel, plan
from tests.infra.onprem.gateway_agent.programs import Programs

TUNNEL = Tunnel(name="tunnel1", peer="203.0.113.11", address="169.254.10.2/30", interface_id=998877)
ROUTE = "ip route replace unreachable 10.30.0.0/16 metric 4294967295"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    planned = plan([TUNNEL], ipsec="kernel", mtu=1400, aws_ranges=["10.30.0.0/16"])
    (folder / "gateway.json").write_text(planned.to_json())
    for name in ("bird.conf", "clamp.nft", "tunnels.strongswan.conf", "tunnels.swanctl.conf", "tunnel1.secrets.conf"):
        (folder / name).write_text("")
    return folder


@pytest.fixture
def gateway(programs: Programs, files: Path, tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(files, tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("file", "who", "load"),
    [
        ("bird.conf", "bird-hangs", "configure"),
        ("tunnels.swanctl.conf", "charon-hangs", "--load-all"),
        ("tunnel1.secrets.conf", "charon-hangs", "--load-all"),
    ],
)
def test_a_change_that_got_no_answer_is_loaded_again_and_only_then_known(
    gateway: Gateway, programs: Programs, files: Path, file: str, who: str, load: str
) -> None:
    gateway.step()
    (files / file).write_text("changed")
    programs.set(who)
    gateway.step()
    tried = programs.asked(load)
    programs.set(who, False)
    gateway.step()
    assert programs.asked(load) == tried + 1
    gateway.step()
    assert programs.asked(load) == tried + 1


def test_a_change_that_is_refused_is_not_tried_again(gateway: Gateway, programs: Programs, files: Path) -> None:
    gateway.step()
    (files / "tunnels.swanctl.conf").write_text("changed")
    programs.set("charon-refuses")
    gateway.step()
    tried = programs.asked("--load-all")
    gateway.step()
    assert programs.asked("--load-all") == tried


def test_no_tunnel_is_brought_up_twice_while_charon_does_not_tell_what_it_holds(
    gateway: Gateway, programs: Programs
) -> None:
    programs.set("charon-hangs", True)
    gateway.step()
    gateway.step()
    assert programs.asked("--initiate") == 0
    programs.set("charon-hangs", False)
    gateway.step()
    assert gateway.step()[0].reason
    assert programs.asked("--initiate") == 1


def test_the_ranges_of_aws_are_unreachable_before_and_after_everything(gateway: Gateway, programs: Programs) -> None:
    gateway.step()
    assert programs.asked(ROUTE) == 1
    gateway.step()
    assert programs.asked(ROUTE) == 1
    gateway.stop()
    assert programs.asked("route del") == 0


def test_a_range_that_could_not_be_made_unreachable_is_told_once_and_tried_again(
    gateway: Gateway, programs: Programs, capfd: pytest.CaptureFixture[str]
) -> None:
    programs.set("no-rights")
    gateway.step()
    gateway.step()
    told = "10.30.0.0/16 may leave the node in clear text: Operation not permitted"
    assert capfd.readouterr().out.count(told) == 1
    assert programs.asked(ROUTE) == 2
    programs.set("no-rights", False)
    gateway.step()
    gateway.step()
    assert programs.asked(ROUTE) == 3


def test_a_round_that_fails_by_an_odd_answer_is_told_with_its_kind_and_tried_again(
    gateway: Gateway, programs: Programs, tmp_path: Path
) -> None:
    programs.set("odd")
    assert _round(gateway, tmp_path) == {"IndexError: list index out of range"}
    programs.set("odd", False)
    [line] = _round(gateway, tmp_path)
    assert line.startswith("tunnel1 to 203.0.113.11: down")
    assert len(serve.read(tmp_path)) == 1
