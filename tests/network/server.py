"""A small HTTP server: ``/`` answers the connection's largest segment in bytes, ``/<number>`` that many bytes."""

import argparse
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        size = self.path.strip("/")
        largest = self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        body = b"x" * int(size) if size else str(largest).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Thousands of requests are no news."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    ThreadingHTTPServer(("0.0.0.0", parser.parse_args().port), Handler).serve_forever()
