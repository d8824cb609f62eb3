"""Instance metadata, version 2, from a real HTTP server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from model_image.instance.imds import TOKEN_SECONDS, Identity, Metadata, MetadataError


@pytest.fixture
def metadata(imds: Any, clock: Any) -> Metadata:
    imds.be("i-1", datetime(2030, 1, 1, 6, tzinfo=UTC))
    return Metadata(imds.http.address, clock.elapsed)


def test_the_identity_names_the_instance_and_its_launch(metadata: Metadata) -> None:
    launched = datetime(2030, 1, 1, 6, tzinfo=UTC).timestamp()
    assert metadata.identity() == Identity(instance="i-1", launched=launched)


def test_one_token_serves_until_its_end(metadata: Metadata, imds: Any, clock: Any) -> None:
    for _ in range(3):
        metadata.identity()
    assert imds.tokens == 1
    clock.wait(TOKEN_SECONDS)
    metadata.identity()
    assert imds.tokens == 2


def test_a_token_that_is_refused_is_replaced_at_once(metadata: Metadata, imds: Any) -> None:
    metadata.identity()
    imds.tokens += 1  # the service was restarted and knows another one
    assert metadata.identity().instance == "i-1"


def test_what_nobody_announced_is_none(metadata: Metadata) -> None:
    assert metadata.interruption() is None
    assert not metadata.ends()


def test_the_end_and_a_spot_notice_are_seen(metadata: Metadata, imds: Any) -> None:
    imds.terminate()
    imds.announce()
    assert metadata.ends()
    assert metadata.interruption() == "terminate at 2030-01-01T06:00:00Z"


@pytest.mark.parametrize("text", ["", "terminate", "[]", '{"action": "terminate"}'])
def test_a_notice_of_another_form_is_still_a_notice(metadata: Metadata, imds: Any, text: str) -> None:
    imds.announce(text)
    assert metadata.interruption() == "unreadable"


def test_an_instance_outside_a_group_does_not_end(metadata: Metadata, imds: Any) -> None:
    imds.values.clear()
    assert not metadata.ends()


@pytest.mark.parametrize("document", ["", "x", "[]", "{}", '{"instanceId": 5}'])
def test_an_identity_without_an_instance_is_refused(metadata: Metadata, imds: Any, document: str) -> None:
    imds.values["/latest/dynamic/instance-identity/document"] = document
    with pytest.raises(MetadataError, match="instance"):
        metadata.identity()


def test_an_identity_without_a_time_has_no_launch(metadata: Metadata, imds: Any) -> None:
    imds.values["/latest/dynamic/instance-identity/document"] = '{"instanceId": "i-1", "pendingTime": "soon"}'
    assert metadata.identity() == Identity(instance="i-1", launched=None)


def test_a_service_that_fails_or_is_not_there_is_named(metadata: Metadata, imds: Any) -> None:
    imds.broken = True
    with pytest.raises(MetadataError, match=r"/latest/api/token: answered with 500"):
        metadata.ends()
    imds.http.close()
    with pytest.raises(MetadataError, match=rf"{imds.http.address}/latest/api/token: .*refused"):
        metadata.ends()


def test_a_proxy_of_the_environment_is_not_asked(metadata: Metadata, monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(word, "http://127.0.0.1:1")
    assert metadata.identity().instance == "i-1"
