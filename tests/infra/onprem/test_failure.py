"""Only servers and gateways that did not get ready are explained so; other failures have words of their own."""

from collections.abc import Callable

import pytest
from pulumi import ErrorHookArgs

from infra.onprem import gateway, serving
from infra.onprem.failure import not_ready, unreachable
from tests.infra.engine import declare
from tests.infra.settings import DIGEST, REFERENCES, example

WAITED = (
    'the Kubernetes API server reported that "serving/serving" failed to fully initialize or become live: '
    "'serving' timed out waiting to be Ready"
)
GONE = "configured Kubernetes cluster is unreachable: unable to load schema information from the API server"
REFUSED = (
    'deployments.apps is forbidden: User "deployer" cannot create resource "deployments"',
    'pods "serving" is forbidden: exceeded quota: compute',
    'admission webhook "policy.example" denied the request',
    'Deployment.apps "serving" is invalid: spec.template.spec.containers[0].image: Required value',
    'Operation cannot be fulfilled on deployments.apps "serving": the object has been modified',
)
Explain = Callable[[ErrorHookArgs], str | None]


def failed(*errors: str, operation: str = "update") -> ErrorHookArgs:
    container = {"image": f"registry.example/serving@{DIGEST}"}
    inputs = {"metadata": {"namespace": "serving"}, "spec": {"template": {"spec": {"containers": [container]}}}}
    new = None if operation == "delete" else inputs
    return ErrorHookArgs("urn", "id", "serving", "kubernetes:apps/v1:Deployment", new, {}, {}, operation, list(errors))


@pytest.fixture(scope="module")
def explain() -> dict[str, Explain]:
    """What the stack says of failed servers and of a failed gateway."""
    from stacks import onprem

    told: dict[str, Explain] = {}

    def remember(name: str, explanation: Explain) -> None:
        told["serving" if "serving" in name else "gateway"] = explanation

    with pytest.MonkeyPatch.context() as patch:
        for module in (serving, gateway):
            patch.setattr(module, "explained", remember)
        config = example("onprem", {"image.digest": DIGEST})
        declare(onprem.main, stack="prod-onprem", config=config, references=REFERENCES)
    assert set(told) == {"serving", "gateway"}
    return told


@pytest.mark.parametrize("operation", ["create", "update"])
@pytest.mark.parametrize("error", [WAITED, "[ProgressDeadlineExceeded] the ReplicaSet has timed out progressing"])
def test_what_did_not_get_ready_in_time_is_explained(operation: str, error: str, explain: dict[str, Explain]) -> None:
    assert not_ready(failed(error, operation=operation))
    for explanation in explain.values():
        assert "did not get ready" in str(explanation(failed(error, operation=operation)))


@pytest.mark.parametrize("error", REFUSED)
def test_what_the_api_server_refused_speaks_for_itself(error: str, explain: dict[str, Explain]) -> None:
    for explanation in explain.values():
        assert explanation(failed(error)) is None


def test_a_deletion_that_fails_is_not_explained(explain: dict[str, Explain]) -> None:
    for explanation in explain.values():
        assert explanation(failed(WAITED, operation="delete")) is None


def test_servers_before_are_told_of_only_where_there_were_some(explain: dict[str, Explain]) -> None:
    assert "those before it" in str(explain["serving"](failed(WAITED)))
    assert "before" not in str(explain["serving"](failed(WAITED, operation="create")))


def test_an_unreachable_cluster_is_not_one_that_does_not_get_ready(explain: dict[str, Explain]) -> None:
    assert unreachable(failed(GONE))
    assert not unreachable(failed(WAITED))
    for explanation in explain.values():
        assert explanation(failed(WAITED, GONE)) is None
