"""The verb ``down``: removes everything ``up`` made on this machine, also after a killed ``up``."""

import argparse
import shutil
from typing import TYPE_CHECKING

from scripts.localcloud.console import UserError, note, step

if TYPE_CHECKING:
    from scripts.localcloud.cloud import LocalCloud

DESCRIPTION = """\
Remove this checkout's local cloud: processes, containers, namespaces, bridges, mounts, control groups, state and
generated config. Safe to repeat. What later runs need again (built tools, packages, image layers) stays in the
cache folder; --cache removes that too.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/down", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", action="store_true", help="also remove the cache that all checkouts share")
    options = parser.parse_args()
    from scripts.localcloud.cloud import MOST, RUNS, LocalCloud, cache_folder, checkout_root

    held = LocalCloud.held(checkout_root())
    if held:
        with held.work(), step(f"remove local cloud {held.number}"):
            remove(held)
    else:
        note(f"no local cloud is held by {checkout_root()}")
    if options.cache and cache_folder().exists():
        others = [f"{number}: {holder}" for number in range(MOST) if (holder := LocalCloud.holder(number))]
        if others:
            raise UserError(
                f"{cache_folder()} is in use by other local clouds, take them down first: {', '.join(others)}"
            )
        with step(f"remove {cache_folder()}"):
            shutil.rmtree(cache_folder())
    if not any(LocalCloud.holder(number) for number in range(MOST)):
        shutil.rmtree(RUNS, ignore_errors=True)  # the locks, which nobody needs now
    return 0


def remove(cloud: "LocalCloud") -> None:
    """End and delete all that carries this local cloud's number, whether or not its records survived."""
    from scripts.localcloud import network
    from scripts.localcloud.engine.stacks import ROLES, Stack
    from scripts.localcloud.kubernetes import cluster

    cloud.processes.stop("data-plane", grace=0)  # it would start again what ends below
    cluster.stop(cloud)
    cloud.processes.stop_all()
    network.delete(cloud)
    for role in ROLES:
        Stack(cloud, role).config_file.unlink(missing_ok=True)
    shutil.rmtree(cloud.sockets, ignore_errors=True)
    # The record of who holds the number goes last: until then `down` finds the rest.
    for path in cloud.run.iterdir():
        if path.name != "checkout":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.rmtree(cloud.run)
