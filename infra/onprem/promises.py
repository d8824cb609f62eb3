"""What the site promises its customers, as PromQL: which share of the answers broke it, over any window. Pure.

Two promises, with the names of their alarms at AWS: `errors` and `latency`. Each has a budget, a share of all answers
that may break it within 30 days.
"""

from dataclasses import dataclass

from infra.config.site_watch import SiteWatchConfig

# One in a hundred may be slower: what "p99" says.
_SLOW_SHARE = 0.01
# Asked by machines, not by customers.
_QUIET = 'route!~"/healthz|/readyz|/metrics"'


@dataclass(frozen=True, kw_only=True)
class Promise:
    """`broken` and `all` are PromQL with `{window}` in place of a range; `budget` is the share that may be broken."""

    name: str
    broken: str
    all: str
    budget: float

    def ratio(self, window: str) -> str:
        """The share of all answers of `window` that broke the promise; no value without answers."""
        broken, everything = (text.replace("{window}", window) for text in (self.broken, self.all))
        return f"(({broken}) or 0 * ({everything})) / ({everything})"

    def recorded(self, window: str) -> str:
        """The name under which Prometheus keeps that share."""
        return f"site:serving_{self.name}:ratio_rate{window}"


def promises(config: SiteWatchConfig, namespace: str) -> tuple[Promise, ...]:
    """Both of them, for the servers of `namespace`."""
    of = f'namespace="{namespace}",{_QUIET}'
    answers = f"sum(rate(serving_requests_total{{{of}}}[{{window}}]))"
    # Of answers with 2xx alone: a refusal is quick and no answer in time, a client's slow body is not ours.
    seconds = f"sum(rate(serving_request_seconds_count{{{of}}}[{{window}}]))"
    in_time = f'sum(rate(serving_request_seconds_bucket{{{of},le="{config.latency_p99_ms / 1000}"}}[{{window}}]))'
    return (
        Promise(
            name="errors",
            broken=f'sum(rate(serving_requests_total{{{of},status=~"5.."}}[{{window}}]))',
            all=answers,
            budget=config.error_percent / 100,
        ),
        Promise(name="latency", broken=f"{seconds} - {in_time}", all=seconds, budget=_SLOW_SHARE),
    )
