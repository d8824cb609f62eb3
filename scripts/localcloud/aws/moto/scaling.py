"""Auto scaling and launch templates: what moto forgets, miscounts or mixes up."""

import copy
from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap


def keep_mixed_instances_policy() -> None:
    # An UpdateAutoScalingGroup that does not speak of the policy wipes it: an update on every up.
    from moto.autoscaling.models import FakeAutoScalingGroup

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def update(self: Any, *args: Any, **kwargs: Any) -> None:
            named = any(kwargs.get(k) for k in ("launch_config_name", "launch_template", "mixed_instances_policy"))
            if self.mixed_instances_policy and not named:
                policy = copy.deepcopy(self.mixed_instances_policy)
                # moto added the name when it stored the policy, and refuses a policy with id and name.
                policy["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
                kwargs["mixed_instances_policy"] = policy
            original(self, *args, **kwargs)

        return update

    wrap(FakeAutoScalingGroup, "update", make)


def start_as_many_instances_as_desired() -> None:
    # Splitting spot from on-demand rounds both down: the group is one short, and the provider waits 10 min for it.
    from moto.autoscaling.models import FakeAutoScalingGroup

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def set_desired_capacity(self: Any, new_capacity: int | None) -> None:
            policy, self.mixed_instances_policy = self.mixed_instances_policy, None
            try:
                original(self, new_capacity)
            finally:
                self.mixed_instances_policy = policy

        return set_desired_capacity

    wrap(FakeAutoScalingGroup, "set_desired_capacity", make)


def default_scaling_policies() -> None:
    # A policy shows no Enabled, and an empty predictive configuration: an update on every up.
    from moto.autoscaling.models import FakeScalingPolicy

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            self.enabled = True
            self.predictive_scaling_configuration = self.predictive_scaling_configuration or None

        return __init__

    wrap(FakeScalingPolicy, "__init__", make)


def keep_template_tags_out_of_its_data() -> None:
    # The tags of the launch template itself show up among those of its instances: an update on every up.
    from moto.ec2.models.launch_templates import LaunchTemplate

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_version(self: Any, data: dict[str, Any], description: str) -> Any:
            given = data.get("TagSpecifications") or []
            kept = [spec for spec in given if spec.get("ResourceType") != "launch-template"]
            if kept != given:
                data = {k: v for k, v in data.items() if k != "TagSpecifications"}
                data |= {"TagSpecifications": kept} if kept else {}
            return original(self, data, description)

        return create_version

    wrap(LaunchTemplate, "create_version", make)


def show_template_tags_of_today() -> None:
    # A launch template shows the tags it was made with, whatever was tagged since: an update on every up.
    from moto.ec2.models.launch_templates import LaunchTemplate

    def keep_none(template: Any, tags: object) -> None:
        """moto assigns the tags that it has just stored."""

    LaunchTemplate.tags = property(lambda template: template.get_tags(), keep_none)  # type: ignore[assignment]


def read_user_data_of_later_versions() -> None:
    # Only a template's first version has its user data decoded: an instance of any later one fails to start.
    from moto.ec2.models.launch_templates import LaunchTemplate
    from moto.ec2.utils import parse_user_data

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_version(self: Any, data: dict[str, Any], description: str) -> Any:
            if isinstance(data.get("UserData"), str):
                data = {**data, "UserData": parse_user_data(data["UserData"])}
            return original(self, data, description)

        return create_version

    wrap(LaunchTemplate, "create_version", make)
