"""The site's gateway as host processes, from exactly the files that the on-prem stack keeps in the cluster."""

import time
from collections.abc import Mapping

from infra.onprem.gateway_agent.reasons import Status
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.processes import wait_until
from scripts.localcloud.vpn.place import Place

NAME, ROLE = "vpn-site", "onprem"
SECONDS = 60.0  # a second or two, but for a busy machine


def start(cloud: LocalCloud, files: Mapping[str, str]) -> None:
    """Run a gateway of `files` (`infra.onprem.gateway_files`), or hand the running one the changed files."""
    Place.of(cloud).run(NAME, ROLE, files)


def stop(cloud: LocalCloud) -> None:
    Place.of(cloud).stop(NAME)


def status(cloud: LocalCloud) -> list[Status]:
    """The site's tunnels. Raises UserError when no gateway runs."""
    try:
        return Place.of(cloud).status(NAME)
    except OSError as error:
        raise UserError(f"the site's VPN gateway: {error}") from None


def wait(place: Place, timeout: float = SECONDS) -> list[Status]:
    """Wait until every tunnel is up. Raises UserError with a line per tunnel: which is down, and why."""
    last: list[Status] = []
    called = time.time()

    def all_up() -> list[Status]:
        last[:] = place.status(NAME, since=called)
        return last if last and all(tunnel.bgp for tunnel in last) else []

    try:
        return list(wait_until(all_up, what="the VPN", timeout=timeout, log=place.processes.log(NAME)))
    except UserError as error:
        if last:
            raise UserError("the VPN is not up:\n" + "\n".join(f"  {tunnel}" for tunnel in last)) from None
        raise error from None
