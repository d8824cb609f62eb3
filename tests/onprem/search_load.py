"""Searches over HTTPS at one address, without a second try, until it is ended; one JSON line on stdout for each.

Every second worker keeps its connection for the next request, as a shop's backend does; the others make a new one each
time. A line is [when it began, when it ended (Unix seconds), status (0 when there was none), what went wrong, the user
who asked, the release that answered].
"""

import http.client
import itertools
import json
import sys
import threading
import time
from typing import Any

from scripts.localcloud.shopper import Site

_lock = threading.Lock()
_numbers = itertools.count()


def search(connection: Site, number: int, user: str) -> tuple[int, str]:
    """The status and the release that answered."""
    # No two alike: a server computes equal ones that wait only once.
    query = {"query": f"warm shoes for walking in the rain, size {number}", "k": 5}
    headers = {"Content-Type": "application/json", "serving-user": user}
    connection.request("POST", "/v1/search", json.dumps(query), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("serving-release", "")


def work(wish: dict[str, Any], keep: bool) -> None:
    connection = Site(wish["name"], wish["address"], wish["port"], wish["ca"])
    while True:
        number = next(_numbers)
        began, status, error, release = time.time(), 0, "", ""
        user = f"user-{number % wish['users']}"
        try:
            status, release = search(connection, number, user)
        except (OSError, http.client.HTTPException) as problem:
            error = repr(problem)
        if error or not keep:
            connection.close()
        with _lock:
            print(json.dumps([began, time.time(), status, error, user, release]), flush=True)
        if error:
            time.sleep(0.2)  # one refused connection is not to become a thousand
        time.sleep(wish["pause"])


def main() -> None:
    wish = json.load(sys.stdin)
    threads = [threading.Thread(target=work, args=(wish, bool(n % 2)), daemon=True) for n in range(wish["workers"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
