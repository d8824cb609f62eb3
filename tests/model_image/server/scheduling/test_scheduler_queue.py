"""What the queue promises, whatever is asked of it in whatever order."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from model_image.server.scheduling.jobs import Batch, Job
from model_image.server.scheduling.queue import Queue
from model_image.server.scheduling.turns import QUANTUM
from tests.model_image.server.gate_model import GateModel, long, sequence

MODELS = [GateModel() for _ in range(3)]
sizes = st.lists(st.integers(1, 512), min_size=1, max_size=40)


def ask(queue: Queue, client: str, sequences: Sequence, *, model=MODELS[0], deadline: float = 1e9) -> Job:
    job = Job(client=client, deadline=deadline, asked=0, count=len(sequences))
    queue.add(model, sequences, job)
    return job


def sums(batch: Batch) -> np.ndarray:
    return np.array([[s.ids.sum()] for s in batch.sequences], dtype=np.float32)


def compute(queue: Queue, batch: Batch) -> list[Job]:
    return queue.done(batch, sums(batch), {})


def drain(queue: Queue, budget: int) -> list[Batch]:
    batches = []
    while queue:
        batches.append(queue.take(0, budget))
        compute(queue, batches[-1])
    return batches


def rows(job: Job) -> list[float]:
    assert job.rows is not None
    return job.rows[:, 0].tolist()


def is_empty(queue: Queue) -> bool:
    known = queue._known
    return not (queue or known or queue.lanes or queue.clients or queue.texts or queue.tokens)


@given(sizes=sizes, budget=st.integers(1, 2048))
def test_a_batch_keeps_to_its_budget_unless_one_sequence_is_longer(sizes: list[int], budget: int) -> None:
    queue = Queue()
    ask(queue, "a", [long(size, at) for at, size in enumerate(sizes)])
    batches = drain(queue, budget)
    for batch in batches:
        assert batch.tokens == sum(len(s.ids) for s in batch.sequences)
        assert batch.tokens <= budget or len(batch.entries) == 1
        assert batch.padding == sum(batch.longest - len(s.ids) for s in batch.sequences)
    for before, after in pairwise(batches):
        assert before.tokens + after.entries[0].tokens > budget  # nothing that fitted was left
    assert is_empty(queue)


@given(sizes=sizes, budget=st.integers(1, 2048))
def test_one_client_is_served_in_the_order_it_asked(sizes: list[int], budget: int) -> None:
    queue = Queue()
    for at, size in enumerate(sizes):
        ask(queue, "a", [long(size, at)])
    taken = [int(s.ids[0]) for batch in drain(queue, budget) for s in batch.sequences]
    assert taken == list(range(len(sizes)))


@given(
    clients=st.lists(st.lists(st.integers(1, 512), min_size=1, max_size=30), min_size=2, max_size=6),
    budget=st.integers(1, 2048),
)
def test_of_clients_that_all_wait_none_gets_far_ahead(clients: list[list[int]], budget: int) -> None:
    queue = Queue()
    for client, own in enumerate(clients):
        ask(queue, str(client), [long(size, 1000 * client + at) for at, size in enumerate(own)])
    longest = max(max(own) for own in clients)
    served = dict.fromkeys(map(str, range(len(clients))), 0)
    while queue:
        batch = queue.take(0, budget)
        for entry in batch.entries:
            served[str(int(entry.sequence.ids[0]) // 1000)] += entry.tokens
        waiting = [served[client] for client in queue.clients]
        ahead = max(served.values()) if waiting else 0
        assert all(ahead - each <= 2 * QUANTUM + longest for each in waiting)
        compute(queue, batch)


@given(crowd=st.integers(0, 5), huge=st.integers(30, 150), size=st.integers(1, 512))
def test_a_small_client_is_served_within_one_round_however_much_others_wait_for(
    crowd: int, huge: int, size: int
) -> None:
    queue = Queue()
    for other in range(1 + crowd):
        ask(queue, f"huge {other}", [long(size, 1000 + huge * other + at) for at in range(huge)])
    queue.take(0, 2048)
    small = ask(queue, "small", [sequence(7)])
    before = 0
    while small.unstarted:
        before += queue.take(0, size).tokens
    assert before <= (1 + crowd) * (QUANTUM + size) + size


@given(work=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300)), min_size=1, max_size=60))
def test_batches_never_mix_models_and_models_take_turns(work: list[tuple[int, int]]) -> None:
    queue = Queue()
    jobs = [(model, ask(queue, "a", [long(size, at)], model=MODELS[model])) for at, (model, size) in enumerate(work)]
    last: list[object] = []
    while queue:
        waiting = {id(lane.model) for lane in queue._waiting.values()}
        batch = queue.take(0, 256)
        assert {id(entry.lane.model) for entry in batch.entries} == {id(batch.model)}
        if len(waiting) > 1 and last:
            assert batch.model is not last[-1]
        last.append(batch.model)
        compute(queue, batch)
    assert all(job.over for _, job in jobs)


@given(ids=st.lists(st.integers(0, 5), min_size=1, max_size=40), taken=st.integers(0, 3), budget=st.integers(1, 8))
def test_equal_sequences_are_computed_once_and_answer_all(ids: list[int], taken: int, budget: int) -> None:
    queue = Queue()
    first = ask(queue, "a", [sequence(i) for i in ids])
    running = [queue.take(0, budget) for _ in range(taken)]
    second = ask(queue, "b", [sequence(i) for i in reversed(ids)])
    assert queue.texts == len(set(ids))
    computed = [*running, *iter(lambda: queue.take(0, budget), Batch())]
    seen = [int(s.ids[0]) for batch in computed for s in batch.sequences]
    assert sorted(seen) == sorted(set(ids))
    for batch in computed:
        compute(queue, batch)
    assert rows(first) == ids
    assert rows(second) == ids[::-1]
    assert is_empty(queue)


def test_sequences_differ_by_model_and_by_where_the_second_segment_begins() -> None:
    queue = Queue()
    ask(queue, "a", [sequence(1, 2), sequence(1, 2)._replace(second=1)])
    ask(queue, "a", [sequence(1, 2)], model=MODELS[1])
    assert queue.texts == 3


def test_what_a_small_client_shares_with_a_huge_one_comes_in_the_small_ones_turn() -> None:
    queue = Queue()
    ask(queue, "huge", [long(200, at) for at in range(1000)])
    small = ask(queue, "small", [long(200, 999)])
    queue.take(0, 600)
    assert small.unstarted == 0


def test_work_for_a_deadline_that_has_passed_is_not_computed() -> None:
    queue = Queue()
    late = ask(queue, "a", [sequence(1), sequence(2)], deadline=5)
    shared = ask(queue, "b", [sequence(2), sequence(3)], deadline=50)
    batch = queue.take(5, 100)
    assert batch.expired == [late]
    assert sorted(int(s.ids[0]) for s in batch.sequences) == [2, 3]
    assert compute(queue, batch) == [shared]
    assert is_empty(queue)


def test_an_outcome_that_is_an_error_ends_its_own_waiters_only() -> None:
    queue = Queue()
    bad, good = ask(queue, "a", [sequence(1), sequence(2)]), ask(queue, "b", [sequence(2)])
    batch = queue.take(0, 100)
    error = ValueError("1")
    errors = {at: error for at, s in enumerate(batch.sequences) if s.ids[0] == 1}
    assert set(queue.done(batch, sums(batch), errors)) == {bad, good}
    assert bad.error is error
    assert (good.error, rows(good)) == (None, [2])
    assert is_empty(queue)


class Anything(RuleBasedStateMachine):
    """Jobs come, leave, expire and fail in any order, with several batches running."""

    def __init__(self) -> None:
        super().__init__()
        self.queue, self.now = Queue(), 0.0
        self.jobs: dict[Job, list[int]] = {}
        self.running: list[Batch] = []
        self.ended: list[Job] = []

    @rule(
        client=st.sampled_from("abc"),
        ids=st.lists(st.integers(0, 30), min_size=1, max_size=12),
        model=st.sampled_from(MODELS),
        left=st.integers(1, 5),
    )
    def asks(self, client: str, ids: list[int], model: GateModel, left: int) -> None:
        job = ask(self.queue, client, [long(1 + i, i) for i in ids], model=model, deadline=self.now + left)
        self.jobs[job] = ids

    @rule(at=st.integers(0, 20))
    def leaves(self, at: int) -> None:
        if at < len(self.jobs):
            self.queue.drop(list(self.jobs)[at])

    @rule(budget=st.integers(1, 100), passed=st.integers(0, 2))
    def takes(self, budget: int, passed: int) -> None:
        self.now += passed
        batch = self.queue.take(self.now, budget)
        assert all(job.deadline <= self.now for job in batch.expired)
        assert all(entry.waiters for entry in batch.entries)
        self.ended += batch.expired
        self.running.append(batch)

    @precondition(lambda self: self.running)
    @rule(fails=st.booleans(), at=st.integers(0, 5))
    def finishes(self, fails: bool, at: int) -> None:
        batch = self.running.pop(min(at, len(self.running) - 1))
        if fails:
            self.ended += self.queue.done(batch, sums(batch), dict.fromkeys(range(len(batch.entries)), ValueError()))
        else:
            self.ended += compute(self.queue, batch)

    @invariant()
    def counts_are_right(self) -> None:
        queue = self.queue
        entries = list(queue._known.values())
        waiting = [entry for entry in entries if not entry.running]
        assert queue.texts == len(entries)
        assert queue.tokens == sum(entry.tokens for entry in waiting)
        assert queue.tokens == sum(lane.queued for lane in queue.lanes.values())
        assert bool(queue) == bool(waiting)
        lines = [line for lane in queue.lanes.values() for line in lane.lines.values()]
        assert all(line.entries for line in lines)
        assert sum(queue.clients.values()) == sum(entry.tokens for line in lines for entry in line.entries)
        assert set(queue.clients) == {line.client for line in lines}
        assert all(entry.waiters for entry in waiting)
        assert len(self.ended) == len(set(self.ended))
        for job, ids in self.jobs.items():
            if job.over and job.error is None and not job.missing:
                assert rows(job) == ids

    def teardown(self) -> None:
        for job in self.jobs:
            self.queue.drop(job)
        for batch in self.running:
            compute(self.queue, batch)
        assert is_empty(self.queue)


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_job_whose_rows_cannot_be_kept_fails_alone_and_everything_is_counted() -> None:
    queue = Queue()
    good, bad = ask(queue, "a", [sequence(1)]), ask(queue, "a", [sequence(2)])
    bad.rows = np.empty((1, 7), dtype=np.float32)  # no row of the model fits into it
    ended = queue.done(queue.take(0, 100), np.ones((2, 3)), {})
    assert set(ended) == {good, bad}
    assert rows(good) == [1]
    assert isinstance(bad.error, ValueError)
    assert is_empty(queue)
