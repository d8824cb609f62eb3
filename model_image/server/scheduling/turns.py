"""Whose turn it is: deficit round robin by cost between the clients of one model or pool. Pure, and O(1) per entry.

Each round a client may spend a quantum more, so of clients that all have something waiting none gets more than two
quanta and the longest entry ahead of another, however much it sent (after Shreedhar and Varghese, Efficient fair
queuing using deficit round robin, 1995). A client that uses several models has a share of each.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from model_image.server.backend import LoadedModel, TokenSequence

QUANTUM = 256
"""Tokens per round: a batch of 2,048 serves up to 8 clients that send much, and any number that send little."""


class Entry:
    """One sequence that somebody waits for, once however many do. `waiters` maps each job to its rows of the answer."""

    __slots__ = ("key", "lane", "places", "running", "sequence", "tokens", "waiters")

    def __init__(self, key: tuple[int, int, bytes], lane: "Lane", sequence: TokenSequence) -> None:
        self.key = key
        self.lane = lane
        self.sequence = sequence
        self.tokens = max(1, len(sequence.ids))  # nothing is free of cost
        self.waiters: dict[Any, list[int]] = {}
        self.places: dict[str, Line[Any]] = {}
        self.running = False


class Placed(Protocol):
    """What stands in lines: its cost, and the lines of the clients that wait for it."""

    tokens: int
    places: "dict[str, Line[Any]]"


E = TypeVar("E", bound=Placed)


class Line(Generic[E]):
    """What one client waits for from one model or pool, in the order it asked."""

    __slots__ = ("client", "credit", "entries")

    def __init__(self, client: str, credit: int) -> None:
        self.client = client
        self.credit = credit
        self.entries: OrderedDict[E, None] = OrderedDict()


class Lines(Generic[E]):
    """A line per client. A client may spend `quantum` more in each round."""

    __slots__ = ("_quantum", "lines")

    def __init__(self, quantum: int) -> None:
        self._quantum = quantum
        self.lines: OrderedDict[str, Line[E]] = OrderedDict()

    def place(self, entry: E, client: str) -> None:
        """Put `entry` at the end of the client's line. It may stand in several: the first turn takes it from all."""
        line = self.lines.get(client)
        if line is None:
            line = self.lines[client] = Line(client, self._quantum)
        line.entries[entry] = None
        entry.places[client] = line

    def remove(self, entry: E) -> None:
        """Take `entry` out of every line. A client whose line ends loses its credit with it."""
        for client, line in entry.places.items():
            del line.entries[entry]
            if not line.entries:
                del self.lines[client]
        entry.places.clear()

    def first(self) -> tuple[Line[E], E]:
        """Whose turn it is and what comes next, without taking it; there must be something. Those whose credit does not
        reach go behind."""
        while True:
            line = next(iter(self.lines.values()))
            entry = next(iter(line.entries))
            if entry.tokens <= line.credit:
                return line, entry
            line.credit += self._quantum
            self.lines.move_to_end(line.client)


class Lane(Lines[Entry]):
    """All that waits for one model. `queued` and `running` count tokens."""

    __slots__ = ("model", "queued", "running")

    def __init__(self, model: LoadedModel) -> None:
        super().__init__(QUANTUM)
        self.model = model
        self.queued = 0
        self.running = 0


def ahead(clients: Mapping[str, int], client: str, total: int, quantum: int) -> float:
    """Part of the `total` that waits, by client in `clients`, that is served before what `client` asks for now.

    Until the client has had what it waits for and a round more, each other client gets at most as much.
    """
    own = clients.get(client, 0)
    return min(1.0, (len(clients) + (not own)) * (own + quantum) / total) if total else 1.0
