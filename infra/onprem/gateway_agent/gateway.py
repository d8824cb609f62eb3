"""The agent's loop: daemons run, files that changed are loaded, tunnels that are down are brought up and explained."""

from collections.abc import Iterator
from pathlib import Path

from . import tools
from .attempts import Attempts
from .bird import Bird
from .charon import Charon
from .plan import BIRD, CLAMP, FILE, SECRETS, Plan, Tunnel
from .reasons import Association, Session, Status, statuses


class Gateway:
    """A gateway that runs the files in `files`; sockets are in `run`.

    ValueError when `gateway.json` is no plan, OSError when it is missing.
    """

    def __init__(self, files: Path, run: Path) -> None:
        self._files, self._run = files, run
        self._known: dict[str, bytes] = {}
        self._told: dict[str, str] = {}
        self._plan = Plan.from_json((files / FILE).read_text())
        self._charons: dict[str, Charon] = {}
        self._bird = Bird(files, run)
        self._attempts = Attempts()

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
            if mine is None:
                continue  # it may hold the tunnel: an attempt could make a second one
            held |= mine
            for tunnel in charon.daemon.tunnels:
                begin = self._plan.initiate and charon.child.alive
                self._attempts.step(charon, tunnel, mine.get(tunnel.name), begin=begin)
        return statuses(self._plan.tunnels, held, self._sessions() or {}, self._explained())

    def stop(self) -> None:
        """BGP first: AWS stops sending before the tunnels close. The ranges of AWS stay unreachable."""
        self._keep_unreachable()  # a node's own network set-up may have removed it
        self._bird.child.stop()
        for name in list(self._charons):
            self._end(name)
        if (self._files / CLAMP).exists():
            tools.ask("nft", "delete", "table", "inet", "hybrid_serving_vpn")

    def _load_what_changed(self) -> None:
        """At the first round everything is new. What got no answer stays new, and is loaded at the next round."""
        now = _texts(self._files)
        changed = {name for name in now if now[name] != self._known.get(name)}
        for names in self._load(changed):
            self._known |= {name: now[name] for name in names}

    def _load(self, changed: set[str]) -> Iterator[set[str]]:
        """Yields the files that were taken, or refused, as they are."""
        if FILE in changed and self._follow_plan():
            yield {FILE}
        for charon in self._charons.values():
            keys = {f"{tunnel.name}{SECRETS}": tunnel for tunnel in charon.daemon.tunnels}
            mine = changed & {charon.daemon.settings, charon.daemon.connections, *keys}
            if charon.daemon.settings in mine:
                charon.child.stop()  # its start reads all of them
            elif mine and charon.child.alive:
                if not charon.load():
                    continue
                self._tell(charon.daemon.name, charon.problem)
                self._use_new_keys(charon, [keys[name] for name in sorted(mine & keys.keys())])
            yield mine
        if BIRD in changed:
            problem = self._bird.load() if self._bird.child.alive else ""
            if problem is not None:
                self._tell(BIRD, problem)
                yield {BIRD}
        if CLAMP in changed:
            done = tools.ask("nft", "-f", self._files / CLAMP)
            self._tell(CLAMP, f"{CLAMP} is not loaded: {done.stderr.strip()}" if done.returncode else "")
            if done.returncode != tools.NO_ANSWER:
                yield {CLAMP}

    def _follow_plan(self) -> bool:
        """Daemons whose part of the plan did not change go on. Returns False when it is to be tried again."""
        try:
            plan = Plan.from_json((self._files / FILE).read_text())
        except ValueError as error:
            self._tell(FILE, str(error))
            return True
        same = (plan.ipsec, plan.mtu) == (self._plan.ipsec, self._plan.mtu)
        kept = {daemon.name for daemon in plan.daemons if same and daemon in self._plan.daemons}
        for name in [name for name in self._charons if name not in kept]:
            self._end(name)
        self._plan = plan
        for daemon in plan.daemons:
            if daemon.name not in self._charons:
                self._charons[daemon.name] = Charon(daemon, plan, self._files, self._run)
        waiting = "not started yet" if plan.initiate else "waits for the other end to begin"
        self._attempts.reasons = {t.name: self._attempts.reasons.get(t.name, waiting) for t in plan.tunnels}
        return self._keep_unreachable()

    def _keep_unreachable(self) -> bool:
        problems = [problem for cidr in self._plan.aws_ranges if (problem := tools.keep_unreachable(cidr))]
        self._tell(FILE, "; ".join(problems))
        return not problems

    def _end(self, name: str) -> None:
        charon = self._charons[name]
        for tunnel in charon.daemon.tunnels:
            self._attempts.drop(tunnel)
        charon.stop()
        del self._charons[name]

    def _use_new_keys(self, charon: Charon, tunnels: list[Tunnel]) -> None:
        """What still works with the old key is left alone; AWS drops it when it takes the new one."""
        sessions = self._sessions() if tunnels else {}
        for tunnel in tunnels:
            self._attempts.hurry(tunnel)
            if sessions is not None and (tunnel.name not in sessions or not sessions[tunnel.name].is_up):
                charon.end(tunnel)

    def _explained(self) -> dict[str, str]:
        broken = [charon for charon in self._charons.values() if charon.problem]
        problems = {tunnel.name: charon.problem for charon in broken for tunnel in charon.daemon.tunnels}
        return self._attempts.reasons | problems

    def _sessions(self) -> dict[str, Session] | None:
        """None when nobody knows."""
        return self._bird.sessions() if self._bird.child.alive else {}

    def _tell(self, about: str, problem: str) -> None:
        """Once, however often it is tried again."""
        if problem and problem != self._told.get(about):
            print(problem, flush=True)
        self._told[about] = problem


def _texts(folder: Path) -> dict[str, bytes]:
    """The files as they are now. Read by content: a mounted Secret changes by links, not by dates."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
