"""A release goes out and comes back under load on both sites: canary, promotion, rollback, as a user types them.

What customers meet counts: each answer says which release gave it.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from model_image.canary import chosen
from model_image.registry import Registry, open_registry
from scripts.localcloud import customer
from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.processes import wait_until
from tests.onprem.customers import Customers
from tests.onprem.releases import equal_releases

pytestmark = pytest.mark.e2e

USERS, PERCENT = 60, 10
CANARY_USERS = {f"user-{n}" for n in range(USERS) if chosen("search", f"user-{n}", PERCENT)}


class Loads:
    """Customers at both sites."""

    def __init__(self, sites: dict[str, Customers]) -> None:
        self.sites = sites

    def releases(self, since: float) -> set[str]:
        """What answered questions asked after `since`."""
        return {answer.release for load in self.sites.values() for answer in load.answers() if answer.began >= since}

    def by_user(self, since: float) -> dict[str, set[str]]:
        """The releases that each user met, on whichever site, after `since`."""
        met: dict[str, set[str]] = {}
        for load in self.sites.values():
            for answer in load.answers():
                if answer.began >= since:
                    met.setdefault(answer.user, set()).add(answer.release)
        return met

    def last_of(self, release: str, since: float) -> float:
        """Seconds from `since` to the beginning of the last question that `release` answered, on the slower site."""
        asked = [answer.began for load in self.sites.values() for answer in load.answers() if answer.release == release]
        return max([*asked, since]) - since

    def settle(self, wanted: Callable[[dict[str, set[str]]], bool], what: str) -> None:
        """Wait until what every user is answered on each site in one window is as `wanted`, from its beginning to end.

        Again and again: a server that autoscaling adds meanwhile takes the stable release first and a canary after it.
        A late server is noticed by its answers. Two of the three workers connect anew for each question, 160 times in
        a window, so one of ten servers keeps silent with a chance of 0.9^160, once in 20 million windows.
        """

        def settled() -> bool:
            since = time.time()
            for load in self.sites.values():
                load.go_on(4 * USERS)
            return wanted(self.by_user(since))

        wait_until(settled, what=what, timeout=180)


@pytest.fixture
def loads(local_cloud: LocalCloud, tmp_path: Path) -> Iterator[Loads]:
    addresses = {reply.site: reply.address for reply in customer.ask(local_cloud, "coffee")}
    with ExitStack() as running:
        sites = {
            site: running.enter_context(
                Customers(local_cloud, tmp_path / site, workers=3, pause=0.05, address=address, users=USERS)
            )
            for site, address in addresses.items()
        }
        yield Loads(sites)


@pytest.fixture
def registry(local_cloud: LocalCloud, stacks: dict[str, Stack]) -> Registry:
    return open_registry(f"s3://{stacks['aws'].outputs()['registry_bucket']}", api.client(local_cloud, "s3"))


@pytest.fixture
def releases(registry: Registry, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The stable release, and a published one of equal content; the first is stable again afterwards."""
    with equal_releases(registry, tmp_path / "copy") as found:
        yield found


def typed(cloud: LocalCloud, bucket: str, *words: str) -> str:
    """What a verb of the registry says, in a shell prepared by scripts/env."""
    command = " ".join(words)
    script = f'eval "$(scripts/env)" && {command} --registry s3://{bucket}'
    done = subprocess.run(["bash", "-ec", script], cwd=cloud.checkout, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_release_goes_to_some_users_then_to_all_and_back_and_nobody_notices(
    local_cloud: LocalCloud,
    stacks: dict[str, Stack],
    loads: Loads,
    releases: tuple[str, str],
    measured: Callable[[str], None],
) -> None:
    old, new = releases
    bucket = stacks["aws"].outputs()["registry_bucket"]
    assert 0 < len(CANARY_USERS) < USERS
    loads.settle(lambda met: set().union(*met.values()) == {old}, "the release before on both sites")

    typed(local_cloud, bucket, "scripts/canary", new, "--percent", str(PERCENT))
    wanted = {f"user-{n}": {new if f"user-{n}" in CANARY_USERS else old} for n in range(USERS)}
    loads.settle(lambda met: met == wanted, "the canary on both sites, the same user meets the same release")

    for what, words, gone, stays in (
        ("promote", ("scripts/promote", new, "--force", "--why", "'the same content'"), old, new),
        ("rollback", ("scripts/rollback", "--why", "'a test'"), new, old),
    ):
        began = time.time()  # as for whoever types it: the seconds that the verb itself takes are in the figure
        typed(local_cloud, bucket, *words)
        loads.settle(lambda met, stays=stays: set().union(*met.values()) == {stays}, what)  # type: ignore[misc]
        measured(f"{what}: the last server changed {loads.last_of(gone, began):.1f} s after the command was entered")

    for site, load in loads.sites.items():
        answers = load.answers()
        measured(f"{site}: {len(answers)} searches, {len(load.lost())} lost")
        assert load.lost() == []
