"""A small server that tests put behind the load balancer or at the site: says who it is and what it was asked."""

import argparse
import json
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("name")
parser.add_argument("--ready", type=Path, required=True, help="ready while this file exists")
parser.add_argument("--site", default="aws")
parser.add_argument("--port", type=int, default=8080)
parser.add_argument("--tls", type=Path, help="certificate and key in one file")
options = parser.parse_args()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer: two would wait for the client's delayed acknowledgement

    def do_GET(self) -> None:
        if self.path.startswith("/slow"):
            time.sleep(1.5)  # a request that is under way while the load balancer is reloaded
        told = {"server": options.name, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
        self._answer({**told, "slot": "stable", "image": "repository@sha256:0"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        results = [{"id": f"P{i}", "title": asked["query"], "score": 1 / i} for i in range(1, asked["k"] + 1)]
        self._answer({"results": results, "release": "sha256-0", "site": options.site, "slot": "stable"})

    def _answer(self, told: dict[str, object]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200 if options.ready.exists() or self.path != "/readyz" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


server = ThreadingHTTPServer(("0.0.0.0", options.port), Handler)
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
