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
    "serving_connections_dropped_total",
    "serving_api_keys_stale",
    "serving_body_bytes",
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
    metrics.answer("/rerank", 200, "canary", 0.1)
    metrics.errors.labels("overloaded", "stable").inc()
    metrics.serve("abc")
    metrics.serve_canary("def")
    text = metrics.text().decode()
    assert 'serving_requests_total{channel="canary",route="/rerank",status="200"} 1.0' in text
    assert 'serving_request_seconds_count{channel="canary",route="/rerank"} 1.0' in text
    assert 'serving_errors_total{channel="stable",kind="overloaded"} 1.0' in text
    assert 'serving_release_info{release="abc"} 1.0' in text
    assert 'serving_canary_info{release="def"} 1.0' in text


@pytest.mark.parametrize("status", [401, 404, 408, 429, 499, 500])
def test_a_refusal_is_no_answer_in_good_time(status: int) -> None:
    metrics = Metrics()
    metrics.answer("/rerank", status, "stable", 0.001)
    assert (
        f'serving_requests_total{{channel="stable",route="/rerank",status="{status}"}} 1.0' in metrics.text().decode()
    )
    assert "serving_request_seconds_count" not in metrics.text().decode()


def test_a_release_that_left_is_no_longer_named() -> None:
    metrics = Metrics()
    metrics.serve("abc")
    metrics.serve("def")
    metrics.serve_canary("ghi")
    metrics.serve_canary(None)
    text = metrics.text().decode()
    assert "abc" not in text
    assert "ghi" not in text


def test_what_is_refused_is_named_until_it_is_not() -> None:
    metrics = Metrics()
    metrics.refuse([("abc", "SlowReleaseError"), ("def", "NoRoomError")])
    metrics.refuse([("def", "NoRoomError")])
    text = metrics.text().decode()
    assert 'serving_release_refused_info{reason="NoRoomError",release="def"} 1.0' in text
    assert "abc" not in text
