"""Budgets, parameters and certificates: what moto does not have, or has only after a wait."""

import json
from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap

GPU_AMI_PARAMETER = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id"
GPU_AMI = "ami-0d15ea1b00d15ea1b"
"""An id of our own: nothing boots from it, the data plane runs what the launch template says."""


def tag_budgets() -> None:
    # ListTagsForResource and its sisters are missing (HTTP 500); the provider calls them on every budget.
    from moto.budgets.responses import BudgetsResponse

    def tags(self: Any) -> dict[str, dict[str, str]]:
        held: dict[str, dict[str, str]] = self.backend.__dict__.setdefault("tags", {})
        return held

    def arn(self: Any, name: str) -> str:
        return f"arn:aws:budgets::{self._get_param('AccountId')}:budget/{name}"

    def pairs(given: list[dict[str, str]] | None) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in given or []}

    def create(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_budget(self: Any) -> str:
            result: str = original(self)
            name = self._get_param("Budget")["BudgetName"]
            tags(self)[arn(self, name)] = pairs(self._get_param("ResourceTags"))
            return result

        return create_budget

    def list_tags_for_resource(self: Any) -> str:
        held = tags(self).get(self._get_param("ResourceARN"), {})
        return json.dumps({"ResourceTags": [{"Key": k, "Value": v} for k, v in held.items()]})

    def tag_resource(self: Any) -> str:
        tags(self).setdefault(self._get_param("ResourceARN"), {}).update(pairs(self._get_param("ResourceTags")))
        return "{}"

    def untag_resource(self: Any) -> str:
        for key in self._get_param("ResourceTagKeys"):
            tags(self).get(self._get_param("ResourceARN"), {}).pop(key, None)
        return "{}"

    wrap(BudgetsResponse, "create_budget", create)
    for method in (list_tags_for_resource, tag_resource, untag_resource):
        setattr(BudgetsResponse, method.__name__, method)


def know_the_gpu_image() -> None:
    # moto has no parameters of the deep learning images; the stack resolves its image from one.
    from moto.core.utils import utcnow
    from moto.ssm.models import Parameter, ParameterDict

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def _check_loading_status(self: Any, key: str) -> None:
            original(self, key)
            if key == GPU_AMI_PARAMETER and not dict.__contains__(self, key):
                make_parameter: Callable[..., Any] = Parameter
                parameter = make_parameter(
                    account_id=self.account_id,
                    name=key,
                    value=GPU_AMI,
                    parameter_type="String",
                    description=None,
                    allowed_pattern=None,
                    keyid=None,
                    last_modified_date=utcnow(),
                    version=1,
                    data_type="aws:ec2:image",
                )
                dict.__setitem__(self, key, [parameter])

        return _check_loading_status

    wrap(ParameterDict, "_check_loading_status", make)


def validate_certificates_at_once() -> None:
    # moto issues a certificate 60 s after its request; nothing here depends on that wait.
    from moto import settings

    settings.ACM_VALIDATION_WAIT = -1
