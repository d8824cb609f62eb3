"""What Prometheus sees. One registry per server object, so that tests and processes do not share counters."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# 0.3 s is the promise of both sites (`watch.latencyP99Ms`): only a bound tells exactly how many kept it.
_BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10)


class Metrics:
    """Names start with `serving_`; labels have few values and never hold user text.

    The two times of the start belong to the first release alone and are 0 before; `clock` is in unix seconds.
    `certificate_expiry` is NaN on a server without HTTPS: no alarm that compares it with the time goes off.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._clock = clock
        self._started = False
        self.requests = Counter("serving_requests", "Answers by route and status", ("route", "status"), registry=own)
        self.seconds = Histogram(
            "serving_request_seconds", "Time to the answer", ("route",), buckets=_BOUNDS, registry=own
        )
        self.errors = Counter("serving_errors", "Refusals by kind", ("kind",), registry=own)
        self.waiting_texts = Gauge("serving_waiting_texts", "Texts admitted and not yet computed", registry=own)
        self.tokens = Counter("serving_tokens", "Tokens encoded for answers", registry=own)
        self.ready = Gauge("serving_ready", "1 while this server asks for traffic", registry=own)
        self.release = Gauge("serving_release_info", "1 for the release that answers", ("release",), registry=own)
        self.swaps = Counter("serving_release_swaps", "Releases taken into service", registry=own)
        self.refused = Counter("serving_release_refused", "Attempts to take a release that failed", registry=own)
        self.registry_up = Gauge("serving_registry_up", "1 while the registry answers", registry=own)
        self.start_downloaded = Gauge(
            "serving_start_downloaded_timestamp_seconds", "When the first release was here and verified", registry=own
        )
        self.start_ready = Gauge(
            "serving_start_ready_timestamp_seconds", "When the first release was loaded and warm", registry=own
        )
        self.certificate_expiry = Gauge(
            "serving_certificate_expiry_timestamp_seconds", "When the certificate in service ends", registry=own
        )
        self.certificate_expiry.set(float("nan"))

    def downloaded(self) -> None:
        """Record that the release that will be loaded next is here and verified."""
        if not self._started:
            self.start_downloaded.set(self._clock())

    def serve(self, release: str) -> None:
        """Record that `release` answers from now on."""
        if not self._started:
            self.start_ready.set(self._clock())
        self._started = True
        self.release.clear()
        self.release.labels(release).set(1)
        self.swaps.inc()

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)
