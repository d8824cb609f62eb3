"""The texts are what strongSwan 5.9.8 and BIRD 2.0.12 print."""

import pytest

from infra.onprem.gateway_agent import reasons
from infra.onprem.gateway_agent.plan import Tunnel
from infra.onprem.gateway_agent.reasons import Association, Session

TUNNEL = Tunnel(name="tunnel1", peer="203.0.113.11", address="169.254.10.2/30", interface_id=1)
UP = Association(state="ESTABLISHED", encrypts=True)
ESTABLISHED = Session(state="Established", error="", routes=1)

HELD = """\
list-sa event {tunnel1 {uniqueid=1 version=2 state=ESTABLISHED local-host=198.51.100.10 local-port=4500 child-sas \
{tunnel1-1 {name=tunnel1 uniqueid=1 reqid=1 state=INSTALLED mode=TUNNEL protocol=ESP}}}}
list-sa event {tunnel2 {uniqueid=6 version=2 state=CONNECTING local-host=198.51.100.10 tasks-queued=[CHILD_CREATE] \
child-sas {}}}
list-sas reply {}
"""
PROTOCOLS = """\
BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     19:30:00.000
tunnel1    BGP        ---        up     19:30:02.000  Established
  BGP state:          Established
    Neighbor address: 169.254.10.1
  Channel ipv4
    State:          UP
    Routes:         3 imported, 2 exported, 3 preferred

tunnel2    BGP        ---        start  19:30:03.000  Idle          BGP Error: Bad peer AS
  BGP state:          Idle
    Neighbor address: 169.254.11.1
    Last error:       BGP Error: Bad peer AS
"""


def test_what_charon_holds_is_read_by_tunnel() -> None:
    assert reasons.associations(HELD) == {
        "tunnel1": UP,
        "tunnel2": Association(state="CONNECTING", encrypts=False),
    }


def test_of_two_associations_the_one_that_encrypts_counts() -> None:
    dead = HELD.splitlines()[1].replace("tunnel2", "tunnel1")
    for text in (HELD + dead, f"{dead}\n{HELD}"):
        assert reasons.associations(text)["tunnel1"] == UP


def test_a_tunnel_whose_keys_are_being_renewed_still_encrypts() -> None:
    assert reasons.associations(HELD.replace("state=INSTALLED", "state=REKEYING"))["tunnel1"].encrypts


def test_sessions_are_read_with_their_last_error_and_routes() -> None:
    assert reasons.sessions(PROTOCOLS) == {
        "tunnel1": Session(state="Established", error="", routes=3),
        "tunnel2": Session(state="Idle", error="BGP Error: Bad peer AS", routes=0),
    }


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("[IKE] received AUTHENTICATION_FAILED notify error", "203.0.113.11 refuses the pre-shared key"),
        ("[IKE] tried 1 shared key for 'a' - 'b', but MAC mismatched", "203.0.113.11 has another pre-shared key"),
        ("[IKE] received NO_PROPOSAL_CHOSEN notify error", "203.0.113.11 knows no connection with this gateway"),
        ("[IKE] received TS_UNACCEPTABLE notify, no CHILD_SA built", "203.0.113.11 accepts no tunnel"),
        ("[IKE] retransmit 1 of request with message ID 0", "no answer from 203.0.113.11"),
        ("[KNL] unable to install inbound and outbound IPsec SA", "userspace"),
        ("initiate failed: something new", "initiate failed: something new"),
        ("", "charon gave no reason"),
    ],
)
def test_a_failed_attempt_is_explained_in_words(log: str, words: str) -> None:
    assert words in reasons.of_attempt(f"{log}\n", TUNNEL)


@pytest.mark.parametrize(
    ("held", "session", "line"),
    [
        (UP, ESTABLISHED, "tunnel1 to 203.0.113.11: up"),
        (UP, None, "tunnel1 to 203.0.113.11: IPsec up, BGP down: BIRD tells no session for it"),
        (UP, Session(state="Idle", error="BGP Error: Bad peer AS", routes=0), "tunnel1 to 203.0.113.11: IPsec up, BGP "
         "down: the peer has another BGP number (ASN) than the configuration"),
        (None, ESTABLISHED, "tunnel1 to 203.0.113.11: down: the last attempt's reason"),
        (Association(state="ESTABLISHED", encrypts=False), ESTABLISHED, "tunnel1 to 203.0.113.11: down: the last "
         "attempt's reason"),
    ],
)  # fmt: skip
def test_a_status_names_the_tunnel_its_peer_and_the_reason(
    held: Association | None, session: Session | None, line: str
) -> None:
    [status] = reasons.statuses(
        (TUNNEL,),
        {"tunnel1": held} if held else {},
        {"tunnel1": session} if session else {},
        {"tunnel1": "the last attempt's reason"},
    )
    assert str(status) == line
    assert status.routes == (1 if status.bgp else 0)


def test_a_peer_that_is_still_being_called_did_not_answer_whatever_happened_before() -> None:
    calling = {"tunnel1": Association(state="CONNECTING", encrypts=False)}
    [status] = reasons.statuses((TUNNEL,), calling, {}, {"tunnel1": "refused long ago"})
    assert "no answer from 203.0.113.11" in status.reason
