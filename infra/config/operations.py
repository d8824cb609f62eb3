"""Settings of the edge, of the logs, and of what watches over the site."""

from dataclasses import dataclass

from infra.config.reader import Reader

# What CloudWatch Logs accepts as retention (API reference, PutRetentionPolicy).
_LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
# What AWS Budgets takes as receivers of one notification (AWS Budgets quotas).
MAX_EMAILS = 10
# What AWS WAF accepts as the limit of a rate-based rule (API reference, RateBasedStatement).
MIN_RATE, MAX_RATE = 10, 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class EdgeConfig:
    """`rate_limit`: requests that one address may send in 5 minutes before the firewall blocks it; 0: no firewall."""

    rate_limit: int


@dataclass(frozen=True, kw_only=True)
class LogsConfig:
    """Days for which log groups and the bucket of access logs keep what they got."""

    days: int


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """Whom alarms reach, and from which value on they do. `monthly_budget_usd` is for this environment's AWS part."""

    emails: tuple[str, ...]
    monthly_budget_usd: int
    latency_p99_ms: int
    error_percent: int


def read_edge(reader: Reader) -> EdgeConfig:
    """The section `edge`."""
    rate = reader.integer("rateLimit", low=0, high=MAX_RATE, default=0)
    if rate is not None and 0 < rate < MIN_RATE:
        reader.refuse("rateLimit", rate, f"0 (no firewall) or at least {MIN_RATE} requests in 5 minutes are needed")
    return EdgeConfig(rate_limit=rate)


def read_logs(reader: Reader) -> LogsConfig:
    """The section `logs`."""
    days = reader.choice("days", tuple(str(days) for days in _LOG_DAYS), default="90")
    return LogsConfig(days=int(days) if days else 0)


def read_watch(reader: Reader) -> WatchConfig:
    """The section `watch`."""
    emails = reader.texts("emails", default=(), example="[oncall@shop.example]", check=_check_email)
    if emails and len(emails) > MAX_EMAILS:
        reader.refuse("emails", list(emails), f"at most {MAX_EMAILS} are possible; use a mailing list")
    return WatchConfig(
        emails=emails,
        monthly_budget_usd=reader.integer("monthlyBudgetUsd", low=1, high=100_000_000),
        latency_p99_ms=reader.integer("latencyP99Ms", low=1, high=60_000, default=300),
        error_percent=reader.integer("errorPercent", low=1, high=100, default=1),
    )


def _check_email(text: str) -> None:
    name, _, domain = text.partition("@")
    if not name or "." not in domain or " " in text:
        raise ValueError("an e-mail address such as oncall@shop.example is needed")
