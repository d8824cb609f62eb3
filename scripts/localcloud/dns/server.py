"""The DNS server of the local internet: authoritative answers over UDP and TCP, from the view the host writes."""

import argparse
import sys
from pathlib import Path
from random import random

from dnslib import QTYPE, RCODE, RR, SOA, DNSHeader, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

from scripts.localcloud.dns.view import from_json, normal, statuses
from scripts.localcloud.dns.zone import Answer, Resolver
from scripts.localcloud.files import Watched

NAME_SERVER, HOSTMASTER = "ns-1.awsdns-01.test.", "awsdns-hostmaster.amazon.com."
SOA_TIMES = (1, 7200, 900, 1209600, 86400)  # serial, refresh, retry, expire, minimum: Route 53's own
SOA_TTL = 900  # seconds; it limits how long a resolver keeps "no such name"


def reply_to(request: DNSRecord, answer: Answer) -> DNSRecord:
    """The reply packet. The zone's SOA is the answer when it is asked for, and goes along when there is no answer."""
    header = DNSHeader(id=request.header.id, qr=1, aa=int(bool(answer.zone)), rd=request.header.rd, ra=0)
    reply = DNSRecord(header, q=request.q)
    reply.header.rcode = getattr(RCODE, answer.status)
    for line in answer.lines:
        reply.add_answer(*RR.fromZone(f"{line.name}. {line.ttl} IN {line.type} {line.value}"))
    if answer.zone and not answer.lines:
        soa = RR(answer.zone, QTYPE.SOA, ttl=SOA_TTL, rdata=SOA(NAME_SERVER, HOSTMASTER, SOA_TIMES))
        if _question(request) == (answer.zone, "SOA"):
            reply.add_answer(soa)
        else:
            reply.add_auth(soa)
    return reply


def _question(request: DNSRecord) -> tuple[str, str]:
    return normal(str(request.q.qname)), str(QTYPE.get(request.q.qtype, "unknown"))


class Route53(BaseResolver):
    """Answers from the view and the checks' status as they are now."""

    def __init__(self, view: Path, health: Path) -> None:
        self._view, self._health = Watched(view, from_json), Watched(health, statuses)

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        resolver = Resolver(view=self._view.read(), health=self._health.read(), random=random)
        return reply_to(request, resolver.answer(*_question(request)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--view", type=Path, required=True, help="JSON file with zones and load balancers")
    parser.add_argument("--health", type=Path, required=True, help="JSON file with the status of the health checks")
    options = parser.parse_args()
    resolver = Route53(options.view, options.health)
    place = {"address": options.address, "port": options.port, "logger": DNSLogger("error")}
    DNSServer(resolver, tcp=True, **place).start_thread()
    DNSServer(resolver, **place).start()
    return 0


if __name__ == "__main__":
    sys.exit(main())
