"""A charon is either ready with all that it needs, or gone and about to be started again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.onprem.gateway_agent.charon import Charon
from infra.onprem.gateway_agent.plan import Tunnel, plan
from tests.infra.onprem.gateway_agent.programs import Programs

# The number of a device that no machine has.
TUNNEL = Tunnel(name="tunnel1", peer="203.0.113.11", address="169.254.10.2/30", interface_id=998877)


@pytest.fixture
def charon(programs: Programs, tmp_path: Path) -> Iterator[Charon]:
    planned = plan([TUNNEL], ipsec="kernel", mtu=1400)
    made = Charon(planned.daemons[0], planned, tmp_path, tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("word", "problem"), [("no-route", "no route to 203.0.113.11"), ("charon-hangs", "charon gives no answer")]
)
def test_a_start_that_failed_is_tried_again_from_the_beginning(
    charon: Charon, programs: Programs, word: str, problem: str
) -> None:
    programs.set(word)
    charon.start()
    assert problem in charon.problem
    assert not charon.child.alive
    programs.set(word, False)
    charon.start()
    assert charon.problem == ""
    assert charon.child.alive
    assert programs.asked("ip link set vpn998877 mtu 1400 up") >= 1
    assert programs.asked("swanctl --load-all") >= 1


def test_a_start_that_ends_with_an_odd_answer_leaves_no_half_made_charon(charon: Charon, programs: Programs) -> None:
    programs.set("odd")
    with pytest.raises(IndexError):
        charon.start()
    assert not charon.child.alive
    assert charon.problem


def test_a_file_that_is_refused_is_no_reason_to_end_what_else_it_carries(charon: Charon, programs: Programs) -> None:
    programs.set("charon-refuses")
    charon.start()
    assert charon.problem == "tunnels.swanctl.conf is refused: no such cipher"
    assert charon.child.alive


def test_a_charon_that_misses_three_answers_in_a_row_is_ended(charon: Charon, programs: Programs) -> None:
    charon.start()
    programs.set("charon-hangs")
    assert charon.held() is None
    assert charon.held() is None
    assert charon.problem == "charon gives no answer"
    programs.set("charon-hangs", False)
    assert charon.held() == {}
    assert charon.child.alive
    programs.set("charon-hangs")
    for _ in range(3):
        assert charon.held() is None
    assert not charon.child.alive
