"""Who may ask the site's servers: the Secret that the settings name, and the same decision as in AWS."""

from typing import Any

import pytest
from pulumi import RunError

from tests.infra.engine import Declaration, declare
from tests.infra.settings import AWS_OUTPUTS, DIGEST, REFERENCES, example

SECRET = {"serving.apiKeysSecret": "serving-api-keys"}


def site(changes: dict[str, Any], *, aws_keys: bool) -> Declaration:
    from stacks import onprem

    aws = {"organization/hybrid-serving/prod-aws": AWS_OUTPUTS | {"api_keys": aws_keys}}
    config = example("onprem", {"image.digest": DIGEST} | changes)
    return declare(onprem.main, stack="prod-onprem", config=config, references=REFERENCES | aws)


def pod(declared: Declaration) -> dict[str, Any]:
    return declared.one(":Deployment", "serving-servers").inputs["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def told(declared: Declaration) -> dict[str, str]:
    (server,) = pod(declared)["containers"]
    return {entry["name"]: entry["value"] for entry in server["env"]}


def test_the_one_file_of_the_secret_is_mounted_to_be_read_and_may_change() -> None:
    declared = site(SECRET, aws_keys=True)
    (volume,) = [volume for volume in pod(declared)["volumes"] if volume["name"] == "keys"]
    assert volume["secret"] == {
        "secretName": "serving-api-keys",
        "items": [{"key": "api-keys", "path": "api-keys"}],
    }
    (server,) = pod(declared)["containers"]
    (mount,) = [mount for mount in server["volumeMounts"] if mount["name"] == "keys"]
    assert mount["readOnly"] is True
    assert "subPath" not in mount
    assert told(declared)["SERVING_API_KEYS"] == f"{mount['mountPath']}/api-keys"


def test_without_the_setting_everybody_may_ask() -> None:
    declared = site({}, aws_keys=False)
    assert "SERVING_API_KEYS" not in told(declared)
    assert "keys" not in {volume["name"] for volume in pod(declared)["volumes"]}


@pytest.mark.parametrize(
    ("changes", "aws_keys", "seen"),
    [(SECRET, False, "is 'serving-api-keys': AWS answers everybody"), ({}, True, "is missing: AWS asks for API keys")],
)
def test_keys_at_one_site_alone_are_refused_with_the_ways_out(changes: Any, aws_keys: bool, seen: str) -> None:
    with pytest.raises(RunError) as raised:
        site(changes, aws_keys=aws_keys)
    assert f"hybrid-serving:serving.apiKeysSecret {seen}" in str(raised.value)
    assert "hybrid-serving:fleet.apiKeysParameter" in str(raised.value)
