"""Names and tags that others rely on: cost reports, policies by path, selectors of pods."""

import re
from dataclasses import replace

import pytest

from infra.names import PROJECT, Names

NAMES = Names(environment="prod", role="aws")


@pytest.mark.parametrize("environment", ["prod", "test"])
def test_a_component_is_called_after_its_environment_so_that_two_share_an_account(environment: str) -> None:
    assert replace(NAMES, environment=environment).component("edge") == f"{environment}-edge"


def test_a_components_name_is_the_same_in_every_role_because_a_stack_has_only_one() -> None:
    assert replace(NAMES, role="dns").component("edge") == NAMES.component("edge")


def test_metrics_of_two_environments_are_never_mixed() -> None:
    assert NAMES.metrics_namespace() == "HybridServing/prod"
    assert replace(NAMES, environment="test").metrics_namespace() != NAMES.metrics_namespace()


def test_a_namespace_is_one_that_cloudwatch_takes() -> None:
    """CloudWatch API reference, PutMetricData."""
    assert re.fullmatch(r"[^:][0-9a-zA-Z.\-_/#:]{0,254}", NAMES.metrics_namespace())
    assert not NAMES.metrics_namespace().startswith("AWS/")


def test_roles_lie_under_a_path_that_iam_takes_and_that_holds_one_environment_only() -> None:
    """IAM API reference, CreateRole: it begins and ends with a slash, and has 512 characters at most."""
    longest = replace(NAMES, environment="x" * 10).iam_path()
    assert re.fullmatch(r"/[!-~]+/", longest)
    assert len(longest) <= 512
    assert NAMES.iam_path() == "/hybrid-serving/prod/"
    # A pattern for one environment's roles must not match the roles of another, whose name begins alike.
    assert not replace(NAMES, environment="production").iam_path().startswith(NAMES.iam_path())


def test_tags_say_project_environment_and_role_and_what_the_thing_is_called() -> None:
    assert NAMES.tags("prod-edge-alb") == {
        "Project": PROJECT,
        "Environment": "prod",
        "Role": "aws",
        "ManagedBy": "pulumi",
        "Name": "prod-edge-alb",
    }


def test_only_the_name_differs_between_the_tags_of_two_things_of_a_stack() -> None:
    one, other = NAMES.tags("one"), NAMES.tags("other")
    assert {key for key in one if one[key] != other[key]} == {"Name"}


def test_labels_select_the_pods_of_one_part_of_one_environment() -> None:
    selector = ("app.kubernetes.io/name", "app.kubernetes.io/instance")
    found = {
        tuple(replace(NAMES, environment=environment).labels(part)[key] for key in selector)
        for environment in ("prod", "test")
        for part in ("serving", "gateway")
    }
    assert len(found) == 4


def test_tags_labels_and_annotations_are_a_new_mapping_each_time() -> None:
    """A caller that adds to its own adds to nobody else's."""
    for made in (lambda: NAMES.tags("x"), lambda: NAMES.labels("x"), NAMES.annotations):
        made()["Extra"] = "y"
        assert "Extra" not in made()


def test_an_up_takes_back_what_a_hand_changed() -> None:
    assert NAMES.annotations() == {"pulumi.com/patchForce": "true"}
