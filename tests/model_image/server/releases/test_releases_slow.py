"""A release much slower than the one in service: refused where there is one to compare with, taken where there is none,
and never a mixed fleet once the channel is rolled back."""

from model_image.server.releases.gate import Gate
from model_image.server.releases.release import Release
from scripts.localcloud.processes import wait_until


class Stepping:
    """A clock by which every second measurement, the one of the release in service, takes a hundredth of the others."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, 0

    def __call__(self) -> float:
        self.calls += 1
        self.now += {0: 0.001, 2: 0.1}.get(self.calls % 4, 0.0)
        return self.now


def test_a_release_slower_than_the_gate_allows_is_refused_closed_and_never_served(
    serving, folder_registry, make_release, monkeypatch
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(Release, "close", lambda release: closed.append(release.digest))
    good = serving.releases.current.digest
    serving.releases._intake._gate = Gate(3.0, clock=Stepping())
    slow = serving.promote(folder_registry, make_release("red hat"))
    assert serving.http.post("/v1/search", json={"query": "red"}).json()["release"] == good
    assert (serving.releases.refused.release, closed) == (slow, [slow])
    assert "encoder: 100.0 ms" in serving.releases.refused.reason
    assert "takes 1.0 ms" in serving.releases.refused.reason
    assert "Roll the channel back" in serving.releases.refused.reason
    assert f'info{{reason="SlowReleaseError",release="{slow}"}} 1.0' in serving.http.get("/metrics").text


def test_a_release_that_was_stable_before_comes_back_as_slow_as_it_is(serving, folder_registry, make_release) -> None:
    """A server that starts takes it, so all others have to, or the fleet would be split."""
    first = serving.releases.current.digest
    serving.promote(folder_registry, make_release("red hat"))
    serving.releases._intake._gate = Gate(3.0, clock=Stepping())
    folder_registry.promote("search", first, who="test", why="back")
    serving.releases.poll()
    assert (serving.releases.current.digest, serving.releases.refused) == (first, None)


def test_a_server_that_starts_takes_what_running_ones_refuse_and_a_rollback_brings_them_together(
    serving, start, folder_registry, make_release, tmp_path
) -> None:
    first = serving.releases.current.digest
    serving.releases._intake._gate = Gate(3.0, clock=Stepping())
    slow = serving.promote(folder_registry, make_release("red hat"))
    with start(data=tmp_path / "another") as started:
        wait_until(lambda: started.releases.current is not None, what="the first look", timeout=30)
        started.releases._intake._gate = Gate(3.0, clock=Stepping())
        started.releases.poll()
        assert (serving.releases.current.digest, started.releases.current.digest) == (first, slow)
        folder_registry.promote("search", first, who="test", why="back")
        for server in (serving, started):
            server.releases.poll()
            assert (server.releases.current.digest, server.releases.refused) == (first, None)
            assert "serving_release_refused_info{" not in server.http.get("/metrics").text


def test_a_release_that_was_rolled_back_from_is_timed_again(serving, folder_registry, make_release) -> None:
    first = serving.releases.current.digest
    slow = serving.promote(folder_registry, make_release("red hat"))
    folder_registry.roll_back("search", first, who="test", why="slow")
    serving.releases.poll()
    serving.releases._intake._gate = Gate(3.0, clock=Stepping())
    folder_registry.promote("search", slow, who="test", why="once more")
    serving.releases.poll()
    assert (serving.releases.current.digest, serving.releases.refused.release) == (first, slow)
