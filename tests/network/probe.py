"""Asks one server over and over from several addresses, trying each request again until it is answered.

Prints one JSON line per attempt: when it began and ended (seconds, monotonic: the same clock in every process of the
machine), from which address, the request's number, and whether it was answered.
"""

import argparse
import json
import os
import socket
import threading
import time

ATTEMPT_SECONDS, PAUSE_SECONDS, RETRY_SECONDS = 0.5, 0.2, 0.05


def ask(source: str, target: str, port: int) -> bool:
    """One HTTP request over a new connection."""
    try:
        with socket.create_connection((target, port), ATTEMPT_SECONDS, source_address=(source, 0)) as link:
            link.settimeout(ATTEMPT_SECONDS)
            link.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return link.recv(64).startswith(b"HTTP/1.0 200")
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", nargs="+", metavar="SOURCE-TARGET", required=True)
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    threads = [threading.Thread(target=_go_on, args=(*pair.split("-"), options.port)) for pair in options.pairs]
    for thread in threads:
        thread.start()


def _go_on(source: str, target: str, port: int) -> None:
    request = 0
    while True:
        answered, request = False, request + 1
        while not answered:
            began = time.monotonic()
            answered = ask(source, target, port)
            line = [began, time.monotonic(), f"{source}-{target}", request, answered]
            os.write(1, f"{json.dumps(line)}\n".encode())  # in one piece: others print too
            time.sleep(PAUSE_SECONDS if answered else RETRY_SECONDS)


if __name__ == "__main__":
    main()
