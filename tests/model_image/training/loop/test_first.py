"""Under torchrun nobody leaves before the first rank is done, and all fail where it fails."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.registry import open_registry
from model_image.training.loop import __main__ as loop
from model_image.training.loop.errors import LoopError
from model_image.training.loop.first import by_the_first
from model_image.training.train.ranks import Ranks
from tests.model_image.training.train.test_ranks import a_free_port

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: threads may be lost

Rank = Callable[[int], object]


def exits(act: Rank) -> list[int | None]:
    """Exit codes of two ranks, each forked with torchrun's words, that do `act`."""
    context, port = multiprocessing.get_context("fork"), a_free_port()

    def one(rank: int) -> None:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        try:
            code = act(rank)
        except LoopError as error:
            code = error.code
        os._exit(code if isinstance(code, int) else 0)

    ranks = [context.Process(target=one, args=(rank,)) for rank in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(120)
    assert all(process.exitcode is not None for process in ranks), "a rank hangs"
    return [process.exitcode for process in ranks]


def refused() -> str:
    raise LoopError("publish", ValueError("no"))


@pytest.mark.parametrize(
    ("work", "codes"),
    [(lambda: "digest", [0, 0]), (refused, [1, 1]), (lambda: os._exit(9), [9, 1])],
    ids=["succeeds", "fails", "is killed"],
)
def test_the_others_end_as_the_first_one_ends(work: Callable[[], str], codes: list[int]) -> None:
    def act(rank: int) -> None:
        with Ranks(rank, 2, rank, "cpu") as ranks:
            assert by_the_first(ranks, work) == (None if rank else "digest")

    assert exits(act) == codes


def test_two_ranks_publish_one_release_and_leave_nothing(shop: Callable[[], Path], tmp_path: Path) -> None:
    shop()
    assert exits(lambda rank: loop.main([])) == [0, 0]
    registry = open_registry(tmp_path / "registry")
    assert [manifest.digest for manifest in registry.releases("search")] == [registry.channel("search").stable]
    assert not list((tmp_path / "work").iterdir())


def test_where_nothing_can_be_compared_both_ranks_say_so_and_end(
    shop: Callable[[], Path], make_release: Callable[..., Path], tmp_path: Path
) -> None:
    folder = shop()
    registry = open_registry(tmp_path / "registry")
    registry.promote("search", registry.publish(make_release("red shoes")), who="test", why="test")
    for name in ("events", "queries", "judgments"):
        (folder / f"{name}.csv").unlink()
    assert exits(lambda rank: loop.main([])) == [2, 2]
