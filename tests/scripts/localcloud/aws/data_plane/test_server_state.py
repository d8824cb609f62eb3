"""HAProxy's state file and statistics."""

from dataclasses import replace

from scripts.localcloud.aws.data_plane.server_state import FIELDS, merged, target_health
from scripts.localcloud.aws.data_plane.view import Target, TargetCheck, TargetGroup

CHECK = TargetCheck(protocol="HTTP", port=None, path="/", codes="200", interval=10, timeout=5, rise=3, fall=3)
GROUP = TargetGroup(
    arn="arn",
    name="stable",
    protocol="HTTP",
    algorithm="round_robin",
    drain_seconds=60,
    check=CHECK,
    targets=(Target(id="i-1", address="10.30.1.4", port=8080),),
)
KNOWN = "5 stable 1 i-1 10.30.1.4 2 0 1 1 9 15 3 3 6 0 0 0 - 8080 - 0 0 - - 0"


def rows(text: str) -> list[dict[str, str]]:
    version, _, *lines = text.splitlines()
    assert version == "1"
    return [dict(zip(FIELDS.split(), line.split(), strict=True)) for line in lines]


def test_a_server_haproxy_does_not_know_is_down_and_one_pass_from_up() -> None:
    (row,) = rows(merged("", [GROUP]))
    assert (row["be_name"], row["srv_name"], row["srv_addr"], row["srv_port"]) == ("stable", "i-1", "10.30.1.4", "8080")
    assert (row["srv_op_state"], row["srv_check_health"]) == ("0", "2")


def test_what_haproxy_knows_is_kept() -> None:
    both = replace(GROUP, targets=(*GROUP.targets, Target(id="i-2", address="10.30.1.5", port=8080)))
    found = rows(merged(f"1\n# {FIELDS}\n{KNOWN}\n", [both]))
    assert [(row["srv_name"], row["srv_op_state"]) for row in found] == [("i-1", "2"), ("i-2", "0")]


def test_health_is_that_of_checked_servers() -> None:
    statistics = (
        "# pxname,svname,status,check_status,\n"
        "stable,i-1,UP,L7OK,\nstable,i-2,DOWN,L7STS,\nstable,i-3,UP 1/3,L7OK,\nstable,i-1-open,no check,,\n"
        "aws-api,api,no check,,\n"
    )
    assert target_health(statistics) == {"stable": {"i-1": True, "i-2": False, "i-3": True}}


def test_no_statistics_mean_no_targets() -> None:
    assert target_health("") == {}
