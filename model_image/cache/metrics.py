"""What Prometheus sees of the cache. One registry per cache object, so that tests do not share counters."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """Names start with `registry_cache_`; `clock` is in unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._clock = clock
        self._synced = Gauge(
            "registry_cache_last_sync_timestamp_seconds",
            "When this cache last held all that the registry names; 0: never since its start",
            registry=own,
        )
        self.ready = Gauge("registry_cache_ready", "1 while the stable release of the channel is here", registry=own)
        self.bytes = Gauge("registry_cache_bytes", "Bytes of the releases held", registry=own)
        self.releases = Gauge("registry_cache_releases", "Releases held", registry=own)
        self.failures = Counter("registry_cache_sync_failures", "Looks at the registry that failed", registry=own)
        self.broken = Counter("registry_cache_broken_releases", "Held releases found damaged", registry=own)
        self.sent = Counter("registry_cache_sent_bytes", "Bytes of releases handed on", registry=own)

    def synced(self) -> None:
        """Record that the cache holds what the registry names."""
        self._synced.set(self._clock())

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)
