"""What the agent tells the world: a status file, and numbers for Prometheus."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from .reasons import Status

FILE = "status.json"
# Older than this, nobody keeps it: the agent is gone or hangs.
STALE_SECONDS = 30.0


def write(run: Path, statuses: Sequence[Status], seen: float) -> None:
    """`seen` is when the agent began to look, in Unix seconds."""
    new = run / f"{FILE}.new"
    new.write_text(json.dumps({"seen": seen, "tunnels": [asdict(status) for status in statuses]}) + "\n")
    new.replace(run / FILE)


def read(run: Path, *, since: float = 0.0) -> list[Status]:
    """What the agent last saw. OSError when there is nothing, nothing of the last 30 s, or nothing after `since`."""
    value = json.loads((run / FILE).read_text())
    age = time.time() - value["seen"]
    if age > STALE_SECONDS:
        raise OSError(f"{run / FILE} is {age:.0f} s old: the agent does not run")
    if value["seen"] < since:
        raise OSError("the agent has not looked since")
    return [Status(**entry) for entry in value["tunnels"]]


def metrics(statuses: Sequence[Status]) -> str:
    """Prometheus text: 1 is up."""
    lines = []
    for name, text in (("ipsec", "The tunnel encrypts"), ("bgp", "The tunnel's BGP session is established")):
        lines += [f"# HELP hybrid_serving_vpn_{name}_up {text}.", f"# TYPE hybrid_serving_vpn_{name}_up gauge"]
        for status in statuses:
            labels = f'tunnel="{status.name}",peer="{status.peer}"'
            lines.append(f"hybrid_serving_vpn_{name}_up{{{labels}}} {int(getattr(status, name))}")
    return "\n".join(lines) + "\n"


def listen(address: str, run: Path) -> int:
    """Serve ``/metrics`` at ``host:port`` for as long as this process lives; returns the port (for 0, a free one)."""
    host, _, port = address.rpartition(":")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                code, body = 200, metrics(read(run))
            except OSError as error:
                code, body = 503, f"{error}\n"
            if self.path != "/metrics":
                code, body = 404, "only /metrics is here\n"
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """A scrape every few seconds is no news."""

    server = ThreadingHTTPServer((host, int(port)), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
