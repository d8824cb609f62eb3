"""The names Prometheus, alarms and dashboards know."""

import pytest

from model_image.server.metrics import Metrics

NAMES = [
    "serving_waiting_texts",
    "serving_waiting_tokens",
    "serving_waiting_seconds",
    "serving_queue_seconds_bucket",
    "serving_queue_seconds_sum",
    "serving_queue_seconds_count",
    "serving_batch_seconds_bucket",
    "serving_batch_seconds_sum",
    "serving_batch_seconds_count",
    "serving_batch_tokens_bucket",
    "serving_batch_tokens_sum",
    "serving_batch_tokens_count",
    "serving_padding_saved_tokens_total",
    "serving_duplicates_total",
    "serving_expired_total",
    "serving_dropped_total",
    "serving_token_cache_hits_total",
    "serving_token_cache_misses_total",
    "serving_token_cache_bytes",
    "serving_tokens_total",
    "serving_ready",
    "serving_registry_up",
    "serving_release_swaps_total",
    "serving_release_refused_total",
    "serving_release_memory_bytes",
    "serving_canary_requests_total",
    "serving_start_downloaded_timestamp_seconds",
    "serving_start_ready_timestamp_seconds",
    "serving_certificate_expiry_timestamp_seconds",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_exposition_has_every_name_from_the_start(name: str) -> None:
    lines = Metrics().text().decode().splitlines()
    assert any(line.startswith((f"{name} ", f"{name}{{")) for line in lines)


def test_metrics_with_labels_appear_when_there_is_something_to_count() -> None:
    metrics = Metrics()
    metrics.requests.labels("/rerank", "200").inc()
    metrics.seconds.labels("/rerank").observe(0.1)
    metrics.errors.labels("overloaded").inc()
    metrics.serve("abc")
    metrics.serve_canary("def")
    text = metrics.text().decode()
    assert 'serving_requests_total{route="/rerank",status="200"} 1.0' in text
    assert 'serving_request_seconds_count{route="/rerank"} 1.0' in text
    assert 'serving_errors_total{kind="overloaded"} 1.0' in text
    assert 'serving_release_info{release="abc"} 1.0' in text
    assert 'serving_canary_info{release="def"} 1.0' in text


def test_a_release_that_left_is_no_longer_named() -> None:
    metrics = Metrics()
    metrics.serve("abc")
    metrics.serve("def")
    metrics.serve_canary("ghi")
    metrics.serve_canary(None)
    text = metrics.text().decode()
    assert "abc" not in text
    assert "ghi" not in text
