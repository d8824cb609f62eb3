"""What runs in the customer's network: look-ups at the local DNS server and searches over HTTPS.

Takes one JSON document on stdin and prints one on stdout, so that a query never becomes a word of a command line.
"""

import http.client
import json
import socket
import ssl
import sys
import time
from collections import Counter
from typing import Any

from dnslib import QTYPE, DNSRecord

DNS_SECONDS, CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 4.0, 30.0
TRIES = 3  # of one address before it counts as failing
IMAGE_TRIES = 20  # questions for the image until one reaches the slot that answered


class Site(http.client.HTTPSConnection):
    """HTTPS to one address under the service's name, as a client does that has resolved the name itself."""

    def __init__(self, name: str, address: str, port: int, ca: str) -> None:
        super().__init__(name, port, timeout=ANSWER_SECONDS)
        self._address, self._tls = address, ssl.create_default_context(cafile=ca)

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), timeout=CONNECT_SECONDS)
        plain.settimeout(ANSWER_SECONDS)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)

    def json(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        text = json.dumps(body) if body is not None else None
        self.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        response = self.getresponse()
        content = response.read()
        try:
            value = json.loads(content)
        except ValueError:
            value = None
        return response.status, value if isinstance(value, dict) else {"error": content[:200].decode(errors="replace")}


def lookup(server: str, name: str) -> str:
    """The first address of the answer, which is the one clients use; empty when there is none."""
    reply = DNSRecord.parse(DNSRecord.question(name, "A").send(server, 53, timeout=DNS_SECONDS))
    return next((str(line.rdata) for line in reply.rr if line.rtype == QTYPE.A), "")


def look_up(wish: dict[str, Any]) -> dict[str, Any]:
    """Address → how often it was the answer."""
    return dict(Counter(lookup(wish["server"], wish["name"]) for _ in range(wish["lookups"])))


def ask(wish: dict[str, Any]) -> dict[str, Any]:
    """Look the name up again and again, and search at each new address, until every wanted site has answered."""
    wanted, replies = set(wish["sites"]), {}
    tried: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    failures: dict[str, str] = {}
    for _ in range(wish["lookups"]):
        if not wanted:
            break
        address = lookup(wish["server"], wish["name"])
        seen[address] += 1
        if not address or address in replies or tried[address] >= TRIES:
            continue
        tried[address] += 1
        try:
            replies[address] = search(wish, address)
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures[address] = str(error)
            continue
        failures.pop(address, None)
        wanted.discard(replies[address]["site"])
    return {"replies": list(replies.values()), "failures": failures, "seen": dict(seen)}


def search(wish: dict[str, Any], address: str) -> dict[str, Any]:
    """One search at one address. Raises ValueError with the server's own words when it is not answered."""
    site = Site(wish["name"], address, wish["port"], wish["ca"])
    began = time.monotonic()
    status, body = site.json("POST", "/v1/search", {"query": wish["query"], "k": wish["k"]})
    seconds = time.monotonic() - began
    if status != 200:
        raise ValueError(f"status {status}: {body.get('error', body)}")
    image = ""
    for _ in range(IMAGE_TRIES):  # a load balancer may send each question to another slot
        _, ready = site.json("GET", "/readyz")
        if ready.get("slot") == body["slot"]:
            image = str(ready.get("image", ""))
            break
    site.close()
    return {**body, "address": address, "seconds": seconds, "image": image}


def main() -> None:
    wish = json.load(sys.stdin)
    try:
        told = {"look_up": look_up, "ask": ask}[wish["do"]](wish)
    except OSError as error:  # only look-ups raise it: without DNS there is nothing to ask
        told = {"error": f"the DNS server at {wish['server']} does not answer: {error}"}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
