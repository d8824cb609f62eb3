"""The patched moto as an HTTP server, with the id of its life at `/epoch`."""

import logging
import secrets
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from scripts.localcloud.aws.moto import patches
from scripts.localcloud.aws.moto.replay import Wsgi, replaying

Address = tuple[str, int]


class QuietHandler(MotoRequestHandler):
    """No line per request: a preview makes hundreds."""

    def log_request(self, *_: object, **__: object) -> None:
        return


def application(epoch: str) -> Wsgi:
    """moto, plus `GET /epoch`. moto forgets everything when it ends; the epoch tells one life from the next.

    One request at a time: moto's state has no locks.
    """
    turn = threading.Lock()
    backend = replaying(DomainDispatcherApplication(create_backend_app))

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/epoch":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [epoch.encode()]
        with turn:
            return backend(environ, start_response)

    return call


def serve(addresses: list[Address]) -> list[BaseWSGIServer]:
    """Serve on every address, one thread each, until `shutdown` is called on the servers.

    Raises OSError when an address is taken.
    """
    patches.apply()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    epoch = secrets.token_hex(8)
    app = application(epoch)
    servers = [make_server(host, port, app, threaded=True, request_handler=QuietHandler) for host, port in addresses]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return servers
