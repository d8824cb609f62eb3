"""Whose turn it is: deficit round robin by tokens between the clients of one model. Pure, and O(1) per sequence.

Each round a client may spend QUANTUM tokens more, so of clients that all have sequences waiting none gets more than two
QUANTUM and the longest sequence ahead of another, however much it sent (after Shreedhar and Varghese, Efficient fair
queuing using deficit round robin, 1995). A client that uses several models has a share of each.
"""

from collections import OrderedDict
from typing import Any

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
        self.places: dict[str, Line] = {}
        self.running = False


class Line:
    """What one client waits for from one model, in the order it asked."""

    __slots__ = ("client", "credit", "entries")

    def __init__(self, client: str) -> None:
        self.client = client
        self.credit = QUANTUM
        self.entries: OrderedDict[Entry, None] = OrderedDict()


class Lane:
    """All that waits for one model: a line per client. `queued` and `running` count tokens."""

    __slots__ = ("lines", "model", "queued", "running")

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.lines: OrderedDict[str, Line] = OrderedDict()
        self.queued = 0
        self.running = 0

    def place(self, entry: Entry, client: str) -> None:
        """Put `entry` at the end of the client's line. It may stand in several: the first turn takes it from all."""
        line = self.lines.get(client)
        if line is None:
            line = self.lines[client] = Line(client)
        line.entries[entry] = None
        entry.places[client] = line

    def remove(self, entry: Entry) -> None:
        """Take `entry` out of every line. A client whose line ends loses its credit with it."""
        for client, line in entry.places.items():
            del line.entries[entry]
            if not line.entries:
                del self.lines[client]
        entry.places.clear()

    def first(self) -> tuple[Line, Entry]:
        """Whose turn it is and what comes next, without taking it; there must be something. Those whose credit does not
        reach go behind."""
        while True:
            line = next(iter(self.lines.values()))
            entry = next(iter(line.entries))
            if entry.tokens <= line.credit:
                return line, entry
            line.credit += QUANTUM
            self.lines.move_to_end(line.client)
