"""What Prometheus sees. One registry per server object, so that tests and processes do not share counters."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from model_image.server.classified import Classified

# 0.3 s is the promise of both sites (`watch.latencyP99Ms`): only a bound tells exactly how many kept it.
_BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10)
_SHORT = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_TOKENS = tuple(float(1 << power) for power in range(5, 17))


class Metrics:
    """Names start with `serving_`; labels have few values and never hold user text.

    `channel` says whose release answered, stable or canary; without a release, or before one is chosen, stable.
    The two times of the start belong to the first release alone and are 0 before; `clock` is in unix seconds.
    `certificate_expiry` is NaN on a server without HTTPS: no alarm that compares it with the time goes off.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._clock = clock
        self._started = False
        self.requests = Counter(
            "serving_requests", "Answers by route and status", ("route", "status", "channel"), registry=own
        )
        self.seconds = Histogram(
            "serving_request_seconds",
            "Time to the answer, of those with status 2xx",
            ("route", "channel"),
            buckets=_BOUNDS,
            registry=own,
        )
        self.errors = Counter("serving_errors", "Refusals by kind", ("kind", "channel"), registry=own)
        self.connections_dropped = Counter(
            "serving_connections_dropped", "Connections ended as there were too many", registry=own
        )
        self.body_bytes = Gauge("serving_body_bytes", "Bodies of the requests that are not over", registry=own)
        self.keys_stale = Gauge(
            "serving_api_keys_stale", "1 while the keys are not those of the file, which cannot be read", registry=own
        )
        self._work(own)
        self.classified = Classified(own)
        self.tokens = Counter("serving_tokens", "Tokens encoded for answers", registry=own)
        self.ready = Gauge("serving_ready", "1 while this server asks for traffic", registry=own)
        self.release = Gauge("serving_release_info", "1 for the release that answers", ("release",), registry=own)
        self.swaps = Counter("serving_release_swaps", "Releases taken into service", registry=own)
        self.release_memory = Gauge(
            "serving_release_memory_bytes", "Memory of the releases that are loaded, as estimated", registry=own
        )
        self.release_waiting = Gauge(
            "serving_release_waiting", "1 while a release waits for the memory of former ones", registry=own
        )
        self.canary = Gauge(
            "serving_canary_info", "1 for the release that canary users get", ("release",), registry=own
        )
        self.refused = Counter("serving_release_refused", "Attempts to take a release that failed", registry=own)
        self.refused_now = Gauge(
            "serving_release_refused_info",
            "1 for a release that the channel names and this server does not take",
            ("release", "reason"),
            registry=own,
        )
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

    def _work(self, own: CollectorRegistry) -> None:
        """The queue and the workers. Four gauges are read from the scheduler when somebody asks for them."""
        self.waiting_texts = Gauge("serving_waiting_texts", "Texts admitted and not yet computed", registry=own)
        self.waiting_tokens = Gauge("serving_waiting_tokens", "Tokens admitted and not yet begun", registry=own)
        self.waiting_seconds = Gauge("serving_waiting_seconds", "Predicted wait of what comes now", registry=own)
        self.queue_seconds = Histogram(
            "serving_queue_seconds", "Until the last text of a request was begun", buckets=_SHORT, registry=own
        )
        self.batch_seconds = Histogram("serving_batch_seconds", "Time of a batch", buckets=_SHORT, registry=own)
        self.batch_tokens = Histogram("serving_batch_tokens", "Tokens of a batch", buckets=_TOKENS, registry=own)
        self.padding_saved = Counter(
            "serving_padding_saved_tokens", "Slots that padding batches to their longest would have cost", registry=own
        )
        self.duplicates = Counter("serving_duplicates", "Texts answered by the computation of another", registry=own)
        self.expired = Counter("serving_expired", "Requests whose deadline came first", registry=own)
        self.dropped = Counter("serving_dropped", "Texts not computed as nobody waited any more", registry=own)
        self.token_cache_hits = Counter("serving_token_cache_hits", "Texts not tokenised again", registry=own)
        self.token_cache_misses = Counter("serving_token_cache_misses", "Texts tokenised", registry=own)
        self.token_cache_bytes = Gauge("serving_token_cache_bytes", "Memory of the tokens kept", registry=own)

    def answer(self, route: str, status: int, channel: str, seconds: float) -> None:
        """Record an answer. A refusal at once is none in good time: seconds are of 2xx alone."""
        self.requests.labels(route, str(status), channel).inc()
        if 200 <= status < 300:
            self.seconds.labels(route, channel).observe(seconds)

    def batch(self, *, tokens: int, padding: int, seconds: float, waits: Iterable[float]) -> None:
        """Record a batch, and how long each request waited that it completed the beginning of."""
        self.batch_seconds.observe(seconds)
        self.batch_tokens.observe(tokens)
        self.padding_saved.inc(padding)
        for wait in waits:
            self.queue_seconds.observe(wait)

    def downloaded(self) -> None:
        """Record that the release that will be loaded next is here and verified."""
        if not self._started:
            self.start_downloaded.set(self._clock())

    def serve(self, release: str, labels: Mapping[str, Sequence[str]] | None = None) -> None:
        """Record that `release` answers from now on; `labels` are those of its tasks."""
        if not self._started:
            self.start_ready.set(self._clock())
        self._started = True
        self.release.clear()
        self.release.labels(release).set(1)
        self.swaps.inc()
        self.classified.serve("stable", release, labels or {})

    def serve_canary(self, release: str | None, labels: Mapping[str, Sequence[str]] | None = None) -> None:
        """Record that the users of the canary get `release` from now on, or that there is none; `labels` as above."""
        self.canary.clear()
        self.classified.serve("canary", release, labels or {})
        if release is not None:
            self.canary.labels(release).set(1)

    def refuse(self, refused: Iterable[tuple[str, str]]) -> None:
        """Record which releases (digest and kind of the refusal) this server does not take from now on."""
        self.refused_now.clear()
        for release, reason in refused:
            self.refused_now.labels(release, reason).set(1)

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)
