"""Runs every instance: its user data is executed, server and agent kept alive, all of it removed when it is gone."""

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scripts.localcloud.aws.data_plane.agent import Agent, AgentRuntime
from scripts.localcloud.aws.data_plane.host import reached, write_files
from scripts.localcloud.aws.data_plane.user_data import Boot, UserDataError, parse
from scripts.localcloud.aws.data_plane.view import Instance
from scripts.localcloud.console import UserError

SETTLED_SECONDS = 60.0  # a container that ran this long starts again without delay
LONGEST_PAUSE = 30.0
STOP_SECONDS = 90.0  # what an instance has in all from the word that it ends; then it is removed as it is
NOTICE_SECONDS = 15.0  # for the agent to see in its metadata that the instance ends


class Runtime(AgentRuntime, Protocol):
    """What instances need of containers and networks."""

    def running(self) -> set[str]: ...
    def run(self, instance: Instance, boot: Boot, folder: Path) -> None: ...
    def terminate(self, name: str) -> None: ...
    def disconnect(self, instance: str) -> None: ...


@dataclass(kw_only=True)
class _State:
    """One instance as this process knows it; times are of a monotonic clock."""

    starts: int = 0
    started: float = 0.0
    stopping: float | None = None
    told: bool = False
    problem: str = ""
    refused: bool = False
    agent: Agent


class Instances:
    """The instances of one local cloud. Each has a folder with the files its user data wrote, its data and its logs."""

    def __init__(self, folder: Path, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._runtime, self._clock = folder, runtime, clock
        self._states: dict[str, _State] = {}

    def held(self) -> set[str]:
        """Ids of the instances that are here, declared or not."""
        return {path.name for path in self._folder.iterdir()} if self._folder.exists() else set()

    def follow(self, wanted: Iterable[Instance]) -> None:
        """One step towards running exactly ``wanted``; never waits for a container."""
        declared = {instance.id: instance for instance in wanted}
        held = self.held()
        if not declared and not held:
            return
        running = self._runtime.running()
        for name in sorted(held - set(declared)):
            self._end(name, running)
        for name, instance in declared.items():
            state = self._state(name)
            if name in running:
                state.problem = ""
                if state.agent.wanted and state.agent.name not in running:
                    state.problem = state.agent.keep(self._clock())
            elif not state.refused and self._clock() >= state.started + pause(state.starts):
                self._start(instance, state)

    def status(self) -> dict[str, dict[str, object]]:
        """Instance id → {"starts": count, "problem": text} of every instance that is or was wanted."""
        return {name: {"starts": state.starts, "problem": state.problem} for name, state in self._states.items()}

    def problems(self) -> list[str]:
        return [f"instance {name}: {state.problem}" for name, state in self._states.items() if state.problem]

    def _start(self, instance: Instance, state: _State) -> None:
        now = self._clock()
        if state.starts and now - state.started > SETTLED_SECONDS:
            state.starts = 0
        state.starts, state.started = state.starts + 1, now
        try:
            boot = parse(instance.user_data)
        except UserDataError as error:
            state.refused, state.problem = True, str(error)
            return
        folder = self._folder / instance.id
        reached(folder, "boot")
        write_files(boot, folder)
        try:
            self._runtime.run(instance, boot, folder)
            state.problem = f"ended and was started again, {state.starts} times" if state.starts > 1 else ""
        except UserError as error:
            state.problem = str(error)

    def _end(self, name: str, running: set[str]) -> None:
        state = self._state(name)
        state.stopping = self._clock() if state.stopping is None else state.stopping
        elapsed = self._clock() - state.stopping
        if elapsed < STOP_SECONDS and not self._ended(name, state, running, elapsed):
            return
        state.agent.stop()
        self._runtime.remove_container(name)
        self._runtime.disconnect(name)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        del self._states[name]

    def _ended(self, name: str, state: _State, running: set[str], elapsed: float) -> bool:
        """One step of an orderly end: the agent sees it and returns, the server drains, the agent completes the hook.

        True when there is nothing left to wait for.
        """
        agent = state.agent
        if not state.told and agent.name in running and agent.watches() and elapsed < NOTICE_SECONDS:
            return False
        if name in running:
            if not state.told:
                agent.stop()
                self._runtime.terminate(name)
            state.told = True
            return False
        return not agent.wanted or agent.leave(agent.name in running)

    def _state(self, name: str) -> _State:
        if name not in self._states:
            self._states[name] = _State(agent=Agent(name, self._folder / name, self._runtime))
        return self._states[name]


def pause(starts: int) -> float:
    """Seconds from one start to the next: none for the first, then doubling from 1 s up to a limit."""
    return min(2.0 ** (starts - 1), LONGEST_PAUSE) if starts else 0.0
