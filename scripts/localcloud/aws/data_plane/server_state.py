"""HAProxy's server state file and statistics: what its checks know, kept over a reload and read from outside.

HAProxy takes a new server for healthy until a check fails. ELB does the opposite: a target gets requests after its
first passed check. So every server that HAProxy does not know yet is written down as "down, one pass from up".
"""

import csv
from collections.abc import Sequence
from io import StringIO

from scripts.localcloud.aws.data_plane.haproxy import OPEN
from scripts.localcloud.aws.data_plane.view import TargetGroup

VERSION = "1"
FIELDS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
    " srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state"
    " bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr"
    " srv_agent_addr srv_agent_port"
)
CHECK_ENABLED, CHECK_CONFIGURED = 4, 2  # bits of srv_check_state


def merged(previous: str, groups: Sequence[TargetGroup]) -> str:
    """State file for ``groups``: the lines of ``previous`` (``show servers state``), and new servers as down."""
    lines = [line for line in previous.splitlines() if line and not line.startswith("#") and line != VERSION]
    known = {(words[1], words[3]) for words in map(str.split, lines)}
    for group in groups:
        lines += [_down(group, t.id, t.address, t.port) for t in group.targets if (group.name, t.id) not in known]
    return "\n".join([VERSION, f"# {FIELDS}", *lines]) + "\n"


def _down(group: TargetGroup, name: str, address: str, port: int) -> str:
    values = {
        "be_id": 0,
        "be_name": group.name,
        "srv_id": 0,
        "srv_name": name,
        "srv_addr": address,
        "srv_op_state": 0,
        "srv_admin_state": 0,
        "srv_uweight": 1,
        "srv_iweight": 1,
        "srv_time_since_last_change": 0,
        "srv_check_status": 1,
        "srv_check_result": 0,
        "srv_check_health": group.check.rise - 1,
        "srv_check_state": CHECK_ENABLED | CHECK_CONFIGURED,
        "srv_agent_state": 0,
        "srv_port": port,
    }
    blank = {"srv_fqdn", "srvrecord", "srv_check_addr", "srv_agent_addr"}
    return " ".join(str(values.get(field, "-" if field in blank else 0)) for field in FIELDS.split())


def target_health(statistics: str) -> dict[str, dict[str, bool]]:
    """Target group name → target id → healthy, from the CSV of ``show stat``."""
    health: dict[str, dict[str, bool]] = {}
    for row in csv.DictReader(StringIO(statistics.removeprefix("# "))):
        if row["check_status"] and not row["svname"].endswith(OPEN):
            health.setdefault(row["pxname"], {})[row["svname"]] = row["status"].startswith("UP")
    return health
