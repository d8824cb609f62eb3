"""ECR's token gets into the Secrets that nodes pull with; what fails is told with the way out."""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from model_image.pull_secrets import ApiServer, PullSecretError, read_words, renew

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


class Cluster:
    """An API server that knows some Secrets; `patches` is what it was asked to change."""

    def __init__(self, *known: str) -> None:
        self.patches: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[Any] = []
        self.forbidden = ""
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_PATCH(self) -> None:
                _, _, _, _, namespace, _, name = self.path.split("/")
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                cluster.headers.append(self.headers)
                secret = f"{namespace}/{name}"
                found = secret in known
                if found and secret != cluster.forbidden:
                    cluster.patches.append((secret, body))
                self.send_response(403 if secret == cluster.forbidden else 200 if found else 404)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.api = ApiServer(url=f"http://127.0.0.1:{self._server.server_port}", token="pod-token", ca=None)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    running = Cluster("serving/ecr-credentials", "registry-cache/ecr-credentials")
    yield running
    running.close()


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("ecr", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


BOTH = [("serving", "ecr-credentials"), ("registry-cache", "ecr-credentials")]


def test_every_secret_gets_the_token_that_ecr_gives(cluster: Cluster, ecr: Any, capsys: Any) -> None:
    assert renew(ecr, cluster.api, REGISTRY, BOTH) == []
    assert [secret for secret, _ in cluster.patches] == [f"{namespace}/{name}" for namespace, name in BOTH]
    for _, body in cluster.patches:
        (config,) = body["data"].values()
        auth = json.loads(b64decode(config))["auths"][REGISTRY]["auth"]
        assert b64decode(auth).startswith(b"AWS:")
        assert auth not in capsys.readouterr().out
    assert cluster.headers[0]["Authorization"] == "Bearer pod-token"
    assert cluster.headers[0]["Content-Type"] == "application/merge-patch+json"


def test_a_missing_secret_is_told_with_the_command_that_makes_it_and_the_others_are_renewed(
    cluster: Cluster, ecr: Any
) -> None:
    (failure,) = renew(ecr, cluster.api, REGISTRY, [("retraining", "ecr-credentials"), *BOTH])
    assert "retraining/ecr-credentials" in str(failure)
    assert "kubectl -n retraining create secret docker-registry ecr-credentials" in str(failure)
    assert len(cluster.patches) == 2


def test_a_missing_right_names_the_verb(cluster: Cluster, ecr: Any) -> None:
    cluster.forbidden = "serving/ecr-credentials"
    (failure,) = renew(ecr, cluster.api, REGISTRY, BOTH)
    assert "serving/ecr-credentials" in str(failure)
    assert "verb patch" in str(failure)


def test_without_aws_no_secret_is_touched(cluster: Cluster) -> None:
    class Cut:
        def get_authorization_token(self) -> Any:
            raise EndpointConnectionError(endpoint_url="https://ecr")

    (failure,) = renew(Cut(), cluster.api, REGISTRY, BOTH)
    assert "https://ecr" in str(failure)
    assert cluster.patches == []


def test_an_api_server_that_is_away_is_told_per_secret(ecr: Any) -> None:
    api = ApiServer(url="http://127.0.0.1:9", token="t", ca=None)
    assert ["cannot be reached" in str(failure) for failure in renew(ecr, api, REGISTRY, BOTH)] == [True, True]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"PULL_SECRETS": "serving/x"}, "PULL_REGISTRY"),
        ({"PULL_REGISTRY": "host/repository", "PULL_SECRETS": "serving/x"}, "host/repository"),
        ({"PULL_REGISTRY": "host"}, "PULL_SECRETS"),
        ({"PULL_REGISTRY": "host", "PULL_SECRETS": "serving"}, "<namespace>/<name>"),
        ({"PULL_REGISTRY": "host", "PULL_SECRETS": "serving/x,"}, "<namespace>/<name>"),
    ],
)
def test_bad_words_are_refused(words: dict[str, str], told: str) -> None:
    with pytest.raises(PullSecretError, match=told):
        read_words(words)
