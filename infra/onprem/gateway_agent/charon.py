"""One charon: started with its own socket, given its connections and keys, asked what it holds."""

import os
import subprocess
import time
from pathlib import Path

from . import host, tools
from .children import Child
from .plan import KERNEL, USERSPACE, Daemon, Plan, Tunnel
from .reasons import Association, associations

START_SECONDS = 10.0
ATTEMPT_SECONDS = 8


class Charon:
    """`files` holds the gateway's files; in `run` are the socket and the small file that says where it is."""

    def __init__(self, daemon: Daemon, plan: Plan, files: Path, run: Path) -> None:
        self.daemon = daemon
        self._plan, self._files = plan, files
        self._socket = run / f"{daemon.name}.vici"
        settings = run / f"{daemon.name}.conf"
        place = f"charon {{\n  plugins {{\n    vici {{\n      socket = unix://{self._socket}\n    }}\n  }}\n}}\n"
        settings.write_text(f"include {files / daemon.settings}\n{place}")
        self._check = run / f"{daemon.name}.check"
        few = "swanctl {\n  load = random openssl\n}\n"
        self._check.write_text(f"{few}include {files / daemon.connections}\n")
        self._env = {"STRONGSWAN_CONF": str(settings)}
        self.child = Child(["charon-systemd"], self._env)
        self._start_problem = self._load_problem = ""

    @property
    def problem(self) -> str:
        """What keeps all its tunnels down, or ""."""
        silence = "charon gives no answer" if self.child.silent else ""
        return self._start_problem or silence or self._load_problem

    def start(self) -> None:
        """Start it with devices, connections and keys.

        When one of these fails it is ended, so that its next start tries all of them again.
        """
        self._socket.unlink(missing_ok=True)
        self.child.start()
        self._start_problem = "charon's start was interrupted"
        try:
            self._start_problem = self._make_ready()
        finally:
            if self._start_problem:
                self.child.kill()

    def _make_ready(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while self.child.alive and not self._socket.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        if not self._socket.exists():
            return "charon does not start: its log says why"
        if problem := self._make_devices():
            return problem
        return "" if self.load() else "charon gives no answer"

    def load(self) -> bool:
        """Make it run the connections and keys of the files. What did not change goes on undisturbed.

        Returns False when there was no answer, so that nobody knows what it runs.
        """
        file = self._files / self.daemon.connections
        # From a file that it cannot read, `--load-all` takes that there is nothing, and unloads all. Settings have the
        # same grammar, and a program that cannot read its settings refuses even to show its help.
        done = tools.ask("swanctl", "--help", env={"STRONGSWAN_CONF": str(self._check)})
        if not done.returncode:
            done = self._swanctl("--load-all", "--noprompt", "--file", file)
        if done.returncode == tools.NO_ANSWER:
            return False
        # Folders for certificates, which it looks for, are not missed.
        said = [line for line in done.stderr.splitlines() if not line.startswith("opening directory")]
        self._load_problem = f"{file.name} is refused: {'; '.join(said[:2])}" if done.returncode else ""
        return True

    def held(self) -> dict[str, Association] | None:
        """None when it gives no answer."""
        done = self._swanctl("--list-sas", "--raw", seconds=tools.LOOK_SECONDS)
        self.child.heard(not done.returncode)
        return None if done.returncode else associations(done.stdout)

    def initiate(self, tunnel: Tunnel) -> subprocess.Popen[str]:
        """Begin to bring up a tunnel; the returned command ends with 0 when it is up, and prints the log of it.

        charon ends it after ATTEMPT_SECONDS, unless charon hangs.
        """
        argv = ["swanctl", "--initiate", "--child", tunnel.name, "--timeout", str(ATTEMPT_SECONDS), *self._uri()]
        env = {**os.environ, **self._env}
        return subprocess.Popen(argv, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def end(self, tunnel: Tunnel) -> None:
        """Drop what is held for a tunnel without waiting for its peer."""
        self._swanctl("--terminate", "--ike", tunnel.name, "--force")

    def stop(self) -> None:
        """End it, and remove the devices that it does not take with it."""
        self.child.stop()
        if self._plan.ipsec == KERNEL:
            for tunnel in self.daemon.tunnels:
                tools.ask("ip", "link", "delete", _device(tunnel))

    def _make_devices(self) -> str:
        for tunnel in self.daemon.tunnels:
            if self._plan.ipsec == USERSPACE:
                device = tools.tun_device(self.child.pid)
                problem = "" if device else "charon has no TUN device: is /dev/net/tun there?"
            else:
                device = _device(tunnel)
                problem = tools.make_interface(device, tunnel.interface_id, tunnel.peer)
            problem = problem or tools.set_up(device, tunnel.address, self._plan.mtu)
            if problem:
                return problem
            print("".join(f"{tunnel.name}: {remark}\n" for remark in host.remarks(device)), end="", flush=True)
        return ""

    def _swanctl(self, *argv: str | Path, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        return tools.ask("swanctl", *argv, *self._uri(), env=self._env, seconds=seconds)

    def _uri(self) -> list[str]:
        return ["--uri", f"unix://{self._socket}"]


def _device(tunnel: Tunnel) -> str:
    return f"vpn{tunnel.interface_id}"
