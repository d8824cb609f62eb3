"""A small HTTPS client that tests run on the public side: prints one JSON value."""

import http.client
import json
import signal
import socket
import ssl
import sys
import threading
from typing import Any

CA, WHAT, ADDRESS, *REST = sys.argv[1:]
NAME = "search.shop.test"


def connect(protocols: list[str]) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=CA)
    context.set_alpn_protocols(protocols)
    plain = socket.create_connection((ADDRESS, 443), timeout=10)
    return context.wrap_socket(plain, server_hostname=NAME)


class Connection(http.client.HTTPSConnection):
    """Connects anew by itself when the other side says "close", as a worker does that is being replaced."""

    def connect(self) -> None:
        self.sock = connect(["http/1.1"])


def get(connection: http.client.HTTPConnection, path: str) -> tuple[int, Any]:
    connection.request("GET", path, headers={"under_score": "1", "good-name": "1"})
    response = connection.getresponse()
    body = response.read()
    return response.status, json.loads(body) if response.status == 200 else None


def servers(count: int) -> list[str]:
    """Who answered each request, or the status when nobody did."""
    found, connection = [], Connection(NAME)
    for _ in range(count):
        status, told = get(connection, "/")
        found.append(told["server"] if told else str(status))
    return found


def redirect(path: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection(ADDRESS, timeout=10)
    connection.request("GET", path, headers={"Host": NAME})
    response = connection.getresponse()
    return response.status, response.getheader("Location")


def until_told() -> dict[str, Any]:
    """Requests on new connections, and slow ones beside them, until SIGTERM."""
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    failed: list[str] = []
    counts = {"/": 0, "/slow": 0}

    def ask(path: str) -> None:
        while not end.is_set():
            try:
                status, _ = get(Connection(NAME), path)
                if status != 200:
                    failed.append(f"{path}: {status}")
            except (OSError, http.client.HTTPException) as error:
                failed.append(f"{path}: {error!r}")
            counts[path] += 1

    threads = [threading.Thread(target=ask, args=(path,)) for path in counts]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()
    return {"failed": failed, "answered": counts["/"], "slow": counts["/slow"]}


match WHAT:
    case "servers":
        print(json.dumps(servers(int(REST[0]))))
    case "get":
        print(json.dumps(get(Connection(NAME), REST[0])[1]))
    case "redirect":
        print(json.dumps(redirect(REST[0])))
    case "protocol":
        print(json.dumps(connect(["h2", "http/1.1"]).selected_alpn_protocol()))
    case "until-told":
        print(json.dumps(until_told()), flush=True)
