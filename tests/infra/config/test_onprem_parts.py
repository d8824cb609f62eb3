"""Refused settings of the cache and of the image: each names field, value, rule and the way out."""

from importlib import import_module
from typing import Any

import pytest
from pulumi import RunError

from infra.config import OnPremConfig
from infra.config.reader import ConfigError
from infra.config.source import Settings
from tests.infra.engine import Declaration, declare
from tests.infra.settings import DIGEST, OTHER_DIGEST, REFERENCES, REMOVED, example


def parsed(changes: dict[str, Any]) -> OnPremConfig:
    return OnPremConfig.parse(Settings.of("prod-onprem", example("onprem", {"image.digest": DIGEST} | changes)))


def site(changes: dict[str, Any]) -> Declaration:
    """All that the stack declares."""
    program = import_module("stacks.onprem").main
    return declare(program, stack="prod-onprem", config=example("onprem", changes), references=REFERENCES)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("cache.size", "20GB", "such as 20Gi"),
        ("cache.size", "0Gi", "such as 20Gi"),
        ("cache.size", "1.5Gi", "whole number"),
        ("cache.replicas", 0, "from 1 to 10"),
        ("cache.rollbacks", -1, "from 0 to 100"),
        ("cache.storageClass", "Fast_SSD", "lower-case letters"),
        ("cache.path", "/srv/cache", "remove one of the two"),
        ("cache.bound", 3, "unknown"),
        ("image.mirror", "registry.shop.example/serving:v1", "repository without tag"),
        ("image.credentials", "ecr", "remove one of the two"),
        ("image.credentials", "docker", "one of none, ecr"),
        ("image.pullSecret", "Registry_Shop", "lower-case letters"),
        ("serving.apiKeysSecret", "API_Keys", "lower-case letters"),
        ("serving.apiKeysSecret", ["a"], "a text is needed"),
        ("serving.apiKeys", "serving-api-keys", "unknown"),
        ("exposure.tlsRouteVersion", "v1", "only the mode gateway has one"),
    ],
)
def test_a_bad_value_is_refused_by_field_and_rule(field: str, value: object, rule: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed({field: value})
    (problem,) = raised.value.problems
    assert f"hybrid-serving:{field}" in problem
    assert rule in problem


@pytest.mark.parametrize(
    ("key", "rule"), [("context", "set it to the cluster's context"), ("clusterIdentifier", "would be replaced")]
)
def test_a_cluster_that_is_not_named_is_refused(key: str, rule: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed({f"kubernetes:{key}": REMOVED})
    (problem,) = raised.value.problems
    assert f"kubernetes:{key} is not set" in problem
    assert rule in problem


@pytest.mark.parametrize("path", ["cache", "/", "/srv/../etc"])
def test_a_folder_of_the_node_must_be_absolute_and_its_own(path: str) -> None:
    with pytest.raises(ConfigError, match="absolute path"):
        parsed({"cache.storageClass": REMOVED, "cache.path": path})


def test_a_cache_is_there_unless_it_is_switched_off() -> None:
    cache = parsed({"cache": {}}).cache
    assert cache is not None
    assert (cache.replicas, cache.storage_class) == (2, "")
    assert parsed({"cache": {"enabled": False}}).cache is None


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("schedule", "0 2 * *", "five cron fields"),
        ("schedule", "0 24 * * *", "no hour"),
        ("schedule", "0 2 * * 7", "Sunday as 0"),
        ("module", "train.py --epochs", "Python module"),
        ("module", REMOVED, "is missing"),
        ("workers", 0, "from 1 to 64"),
        ("cpu", "4Gi", "number of cores"),
        ("memory", "much", "quantity"),
        ("deadlineHours", 0, "from 1 to 168"),
    ],
)
def test_bad_settings_of_a_training_run_are_refused(key: str, value: object, rule: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed({"retraining.enabled": True, f"retraining.{key}": value})
    (problem,) = raised.value.problems
    assert f"hybrid-serving:retraining.{key}" in problem
    assert rule in problem


def test_another_image_than_aws_s_stable_slot_is_refused_with_both_and_the_ways_out() -> None:
    with pytest.raises(RunError) as raised:
        site({"image.digest": OTHER_DIGEST})
    assert f"hybrid-serving:image.digest is {OTHER_DIGEST}" in str(raised.value)
    assert f"AWS runs {DIGEST}" in str(raised.value)
    assert "hybrid-serving:image.mayDiffer" in str(raised.value)


def test_another_image_is_taken_where_the_settings_say_so() -> None:
    declared = site({"image.digest": OTHER_DIGEST, "image.mayDiffer": True})
    (container,) = declared.one(":Deployment", "serving-servers").inputs["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(OTHER_DIGEST)


def test_a_proxy_without_a_namespace_to_call_from_is_refused() -> None:
    exposure = {"mode": "ingress", "address": "198.51.100.20", "ingressClass": "haproxy", "hostname": "a.example"}
    with pytest.raises(ConfigError, match=r"exposure\.callers is missing"):
        parsed({"exposure": exposure | {"callers": []}})


@pytest.mark.parametrize(
    ("image", "secrets"),
    [({}, []), ({"image.pullSecret": "shop"}, ["shop"])],
)
def test_a_mirror_s_secret_is_that_of_all_pods_with_its_image(image: dict[str, Any], secrets: list[str]) -> None:
    changes = {"image.digest": DIGEST, "retraining.enabled": True, **image}
    declared = site(changes)
    specs = [declared.one(":Deployment", "serving-servers").inputs["spec"]["template"]["spec"]]
    specs.append(declared.one(":StatefulSet").inputs["spec"]["template"]["spec"])
    specs.append(declared.one(":CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"])
    for spec in specs:
        assert [secret["name"] for secret in spec.get("imagePullSecrets", ())] == secrets
