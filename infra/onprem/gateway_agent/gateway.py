"""The agent's loop: daemons run, files that changed are loaded, tunnels that are down are brought up and explained."""

import subprocess
import time
from pathlib import Path

from . import tools
from .bird import Bird
from .charon import Charon
from .plan import BIRD, CLAMP, FILE, SECRETS, Plan, Tunnel
from .reasons import Association, Session, Status, of_attempt, statuses

RETRY_SECONDS = 5.0


class Gateway:
    """A gateway that runs the files in `files`; sockets are in `run`.

    ValueError when `gateway.json` is no plan, OSError when it is missing.
    """

    def __init__(self, files: Path, run: Path) -> None:
        self._files, self._run = files, run
        self._texts: dict[str, bytes] = {}
        self._plan = Plan.from_json((files / FILE).read_text())
        self._charons: dict[str, Charon] = {}
        self._bird = Bird(files, run)
        self._reasons: dict[str, str] = {}
        self._attempts: dict[str, subprocess.Popen[str]] = {}
        self._not_before: dict[str, float] = {}

    def step(self) -> list[Status]:
        """One round; returns the tunnels as they are now."""
        self._load_what_changed()
        for charon in self._charons.values():
            if not charon.child.alive and charon.child.may_start:
                charon.start()
        if not self._bird.child.alive and self._bird.child.may_start:
            self._bird.child.start()
        held: dict[str, Association] = {}
        for charon in self._charons.values():
            mine = charon.held() if charon.child.alive else {}
            held |= mine
            for tunnel in charon.daemon.tunnels:
                self._bring_up(charon, tunnel, mine.get(tunnel.name))
        return statuses(self._plan.tunnels, held, self._sessions(), self._explained())

    def stop(self) -> None:
        """BGP first: AWS stops sending before the tunnels close."""
        self._bird.child.stop()
        for name in list(self._charons):
            self._end(name)
        if (self._files / CLAMP).exists():
            tools.ask("nft", "delete", "table", "inet", "hybrid_serving_vpn")

    def _load_what_changed(self) -> None:
        """At the first round everything is new."""
        now = _texts(self._files)
        changed = {name for name in now if now[name] != self._texts.get(name)}
        self._texts = now
        if FILE in changed:
            self._follow_plan(now[FILE].decode())
        for charon in self._charons.values():
            keys = {f"{tunnel.name}{SECRETS}": tunnel for tunnel in charon.daemon.tunnels}
            if charon.daemon.settings in changed:
                charon.child.stop()
            elif changed & {charon.daemon.connections, *keys} and charon.child.alive:
                charon.load()
                _tell(charon.problem)
                self._use_new_keys(charon, [keys[name] for name in sorted(changed & keys.keys())])
        if BIRD in changed and self._bird.child.alive:
            _tell(self._bird.load())
        if CLAMP in changed:
            done = tools.ask("nft", "-f", self._files / CLAMP)
            _tell(f"{CLAMP} is refused: {done.stderr.strip()}" if done.returncode else "")

    def _follow_plan(self, text: str) -> None:
        """Daemons whose part of the plan did not change go on."""
        try:
            plan = Plan.from_json(text)
        except ValueError as error:
            return _tell(str(error))
        same = (plan.ipsec, plan.mtu) == (self._plan.ipsec, self._plan.mtu)
        kept = {daemon.name for daemon in plan.daemons if same and daemon in self._plan.daemons}
        for name in [name for name in self._charons if name not in kept]:
            self._end(name)
        self._plan = plan
        for daemon in plan.daemons:
            if daemon.name not in self._charons:
                self._charons[daemon.name] = Charon(daemon, plan, self._files, self._run)
        waiting = "not started yet" if plan.initiate else "waits for the other end to begin"
        self._reasons = {tunnel.name: self._reasons.get(tunnel.name, waiting) for tunnel in plan.tunnels}

    def _end(self, name: str) -> None:
        charon = self._charons.pop(name)
        for tunnel in charon.daemon.tunnels:
            if attempt := self._attempts.pop(tunnel.name, None):
                attempt.kill()
                attempt.communicate()
        charon.stop()

    def _use_new_keys(self, charon: Charon, tunnels: list[Tunnel]) -> None:
        """What still works with the old key is left alone; AWS drops it when it takes the new one."""
        sessions = self._sessions()
        for tunnel in tunnels:
            self._not_before.pop(tunnel.name, None)
            if tunnel.name not in sessions or not sessions[tunnel.name].is_up:
                charon.end(tunnel)

    def _bring_up(self, charon: Charon, tunnel: Tunnel, held: Association | None) -> None:
        """Take one step towards a tunnel that is up, without waiting for it.

        charon goes on by itself while nobody answers, but gives up for good when the peer refuses.
        """
        attempt = self._attempts.get(tunnel.name)
        if attempt is not None and attempt.poll() is not None:
            log = attempt.communicate()[0]
            if attempt.returncode:
                self._reasons[tunnel.name] = of_attempt(log, tunnel)
            self._not_before[tunnel.name] = time.monotonic() + RETRY_SECONDS
            del self._attempts[tunnel.name]
        trying = tunnel.name in self._attempts or (held is not None and (held.encrypts or held.state == "CONNECTING"))
        early = time.monotonic() < self._not_before.get(tunnel.name, 0.0)
        if self._plan.initiate and charon.child.alive and not trying and not early:
            self._attempts[tunnel.name] = charon.initiate(tunnel)

    def _explained(self) -> dict[str, str]:
        broken = [charon for charon in self._charons.values() if charon.problem]
        problems = {tunnel.name: charon.problem for charon in broken for tunnel in charon.daemon.tunnels}
        return self._reasons | problems

    def _sessions(self) -> dict[str, Session]:
        return self._bird.sessions() if self._bird.child.alive else {}


def _tell(problem: str) -> None:
    if problem:
        print(problem, flush=True)


def _texts(folder: Path) -> dict[str, bytes]:
    """The files as they are now. Read by content: a mounted Secret changes by links, not by dates."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
