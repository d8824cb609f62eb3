"""What the pipeline declares, held against the SDK's model of the service: no local AWS has an Image Builder."""

import re
from typing import Any

import pytest

from tests.infra.aws.api_limits import refusals
from tests.infra.aws.test_image_pipeline import part


def request(kind: str) -> dict[str, Any]:
    """The inputs in the words of the API, with the kind of name that Pulumi makes; ARNs aside."""
    words: dict[str, Any] = {key: _typed(value) for key, value in part(kind).items() if not key.endswith("Arn")}
    if kind != "Image":
        words["name"] = f"prod-bake-{kind}-1a2b3c4"
    if "version" in words:
        words["semanticVersion"] = words.pop("version")
    if kind == "ImageRecipe":
        words["additionalInstanceConfiguration"] = {"systemsManagerAgent": words.pop("systemsManagerAgent")}
        del words["components"]
    return words


def _typed(value: Any) -> Any:
    """The engine has one kind of number, and the SDK texts where the API has flags."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    "kind", ["Component", "ImageRecipe", "InfrastructureConfiguration", "DistributionConfiguration", "Image"]
)
def test_awss_own_model_of_the_service_accepts_every_part(kind: str) -> None:
    found = refusals("imagebuilder", f"Create{kind}", request(kind))
    missing = ["CreateImage.infrastructureConfigurationArn: missing"] if kind == "Image" else []
    assert found == missing


@pytest.mark.parametrize(
    ("kind", "wrong", "problem"),
    [
        ("Component", {"data": "x" * 16001}, r"data: 16001 is not within 1 to 16000"),
        ("Component", {"semanticVersion": "1.0"}, r"semanticVersion: '1\.0' does not match"),
        ("Component", {"platform": "linux"}, r"platform: 'linux' is none of"),
        ("ImageRecipe", {"blockDeviceMappings": [{"ebs": {"encrypted": "true"}}]}, r"'true' is no boolean"),
        ("InfrastructureConfiguration", {"instanceProfileName": "/path/instances"}, r"does not match"),
        ("DistributionConfiguration", {"distributions": [{}]}, r"region: missing"),
        ("Image", {"imageTestsConfiguration": {"timeoutMinutes": 59}}, r"59 is not within 60 to 1440"),
    ],
)
def test_the_model_refuses_what_aws_would_refuse(kind: str, wrong: dict[str, Any], problem: str) -> None:
    found = refusals("imagebuilder", f"Create{kind}", request(kind) | wrong)
    assert any(re.search(problem, refusal) for refusal in found), found
