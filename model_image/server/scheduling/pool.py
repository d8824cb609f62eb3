"""Threads for blocking work beside the models. What waits for them is bounded by time and shared fairly, as the models'
queue is: a line per client, whose turns are by cost."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from model_image.server.scheduling.admission import late, stopping
from model_image.server.scheduling.tasks import Task, Tasks

T = TypeVar("T")


class Pool:
    """Jobs that would wait longer than `max_wait` seconds are refused, unless nothing waits or runs. One whose waiter
    left, or whose deadline came before its start, is never started."""

    def __init__(self, name: str, *, max_wait: float, quantum: int, guess: float, clock: Callable[[], float]) -> None:
        """A client's turn is `quantum` of cost; `guess` is what one of cost takes until it is measured, in seconds.
        `clock` is that of the deadlines. Nothing runs until `start`."""
        self._name = name
        self._clock = clock
        self._tasks = Tasks(max_wait=max_wait, quantum=quantum, guess=guess)
        self._changed = threading.Condition(threading.Lock())
        self._closed = False

    def start(self, threads: int) -> None:
        """Work with so many threads. Later calls change nothing."""
        with self._changed:
            if self._tasks.threads or self._closed:
                return
            self._tasks.threads = threads
        for at in range(threads):
            threading.Thread(target=self._work, name=f"{self._name}-{at}", daemon=True).start()

    def wait(self) -> float:
        """Seconds until all that waits now has started."""
        with self._changed:
            return self._tasks.wait()

    def check(self, client: str, deadline: float, cost: int = 0) -> None:
        """Raise what `run` would."""
        with self._changed:
            self._refuse(client, deadline, cost)

    async def run(self, job: Callable[[], T], *, cost: int, client: str, deadline: float) -> T:
        """The result of `job`. Raises `ServingError`: OVERLOADED at once, DEADLINE, NOT_READY after `close`."""
        task = Task(job, cost=cost, client=client, deadline=deadline)
        with self._changed:
            self._refuse(client, deadline, cost)
            self._tasks.add(task)
            self._changed.notify()
        try:
            async with asyncio.timeout(deadline - self._clock()) as limit:
                result: T = await asyncio.wrap_future(task.future)
                return result
        except TimeoutError:
            if limit.expired():
                raise late() from None
            raise
        finally:
            with self._changed:
                self._tasks.leave(task)

    def close(self) -> None:
        """Take no more; what has not started is refused."""
        with self._changed:
            self._closed = True
            waiting = self._tasks.waiting()
            for task in waiting:
                self._tasks.leave(task)
            self._changed.notify_all()
        for task in waiting:
            if task.future.set_running_or_notify_cancel():
                task.future.set_exception(stopping())

    def _refuse(self, client: str, deadline: float, cost: int) -> None:
        left = deadline - self._clock()
        if self._closed:
            raise stopping()
        if left <= 0:
            raise late()
        self._tasks.check(client, left, cost)

    def _work(self) -> None:
        while task := self._next():
            self._run(task)
            del task  # an idle thread keeps no model alive

    def _next(self) -> Task | None:
        with self._changed:
            while not self._tasks and not self._closed:
                self._changed.wait()
            return None if self._closed else self._tasks.begin()

    def _run(self, task: Task) -> None:
        wanted = task.future.set_running_or_notify_cancel()
        start = self._clock()
        if not wanted or task.deadline <= start:
            self._over(task)
            if wanted:
                task.future.set_exception(late())
            return
        try:
            result = task.job()
        except BaseException as error:
            self._over(task, self._clock() - start)
            task.future.set_exception(error)
        else:
            self._over(task, self._clock() - start)
            task.future.set_result(result)

    def _over(self, task: Task, seconds: float | None = None) -> None:
        with self._changed:
            self._tasks.end(task, seconds)
