import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from infra.onprem.gateway_agent import serve
from infra.onprem.gateway_agent.reasons import Status

UP = Status(name="tunnel1", peer="203.0.113.11", ipsec=True, bgp=True, routes=1, reason="")
DOWN = Status(name="tunnel2", peer="203.0.113.12", ipsec=True, bgp=False, routes=0, reason="BGP is Idle")


def test_what_the_agent_saw_is_read_back(tmp_path: Path) -> None:
    serve.write(tmp_path, [UP, DOWN], time.time())
    assert serve.read(tmp_path) == [UP, DOWN]


def test_a_status_that_nobody_keeps_any_more_is_no_status(tmp_path: Path) -> None:
    serve.write(tmp_path, [UP], time.time() - 2 * serve.STALE_SECONDS)
    with pytest.raises(OSError, match="the agent does not run"):
        serve.read(tmp_path)


def test_a_look_from_before_does_not_count_as_one_from_after(tmp_path: Path) -> None:
    now = time.time()
    serve.write(tmp_path, [UP], now - 1)
    with pytest.raises(OSError, match="not looked since"):
        serve.read(tmp_path, since=now)


def test_prometheus_is_told_every_tunnel_by_its_name_and_peer() -> None:
    lines = serve.metrics([UP, DOWN]).splitlines()
    assert 'hybrid_serving_vpn_bgp_up{tunnel="tunnel1",peer="203.0.113.11"} 1' in lines
    assert 'hybrid_serving_vpn_ipsec_up{tunnel="tunnel2",peer="203.0.113.12"} 1' in lines
    assert 'hybrid_serving_vpn_bgp_up{tunnel="tunnel2",peer="203.0.113.12"} 0' in lines


def test_metrics_are_served_and_missing_ones_are_an_error(tmp_path: Path) -> None:
    port = serve.listen("127.0.0.1:0", tmp_path)
    url = f"http://127.0.0.1:{port}/metrics"
    with pytest.raises(urllib.error.HTTPError) as missing:
        urllib.request.urlopen(url, timeout=5)
    assert missing.value.code == 503
    missing.value.close()
    serve.write(tmp_path, [UP], time.time())
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert b'hybrid_serving_vpn_bgp_up{tunnel="tunnel1"' in answer.read()
