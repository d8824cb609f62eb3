"""Serves instance metadata at the link-local address of the VPC; the source address tells which instance asks."""

import argparse
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from scripts.localcloud.aws.data_plane.identity import Identity, identities
from scripts.localcloud.aws.data_plane.metadata import TOKEN_PATH, Reply, Service
from scripts.localcloud.files import Watched


def handler(service: Service, known: Watched[dict[str, Identity]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            identity = self._identity()
            if identity is None or self.path != TOKEN_PATH:
                return self._send(Reply(code=404))
            # A token must not get further from the instance than its hop limit allows.
            self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, identity.hop_limit)
            return self._send(service.token(identity, self._headers(), time.time()))

        def do_GET(self) -> None:
            identity = self._identity()
            if identity is None:
                return self._send(Reply(code=404))
            return self._send(service.get(identity, self.path, self._headers(), time.time()))

        def _identity(self) -> Identity | None:
            return known.read().get(self.client_address[0])

        def _headers(self) -> dict[str, str]:
            return {name.lower(): value for name, value in self.headers.items()}

        def _send(self, reply: Reply) -> None:
            body = reply.body.encode()
            self.send_response(reply.code)
            headers = {"Content-Type": "text/plain", "Content-Length": str(len(body)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Requests are not logged: they come every few seconds from every instance."""

    return Handler


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--instances", type=Path, required=True, help="JSON file: address → identity")
    options = parser.parse_args()
    known = Watched(options.instances, identities)
    ThreadingHTTPServer((options.address, 80), handler(Service(), known)).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
