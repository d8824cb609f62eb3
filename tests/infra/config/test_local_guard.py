"""A local stack can never reach a real account or cluster, whatever its files say."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config import AwsConfig, ConfigError, DnsConfig, OnPremConfig
from infra.config.source import Settings
from scripts.localcloud.aws.provider_config import aws_provider_config
from scripts.localcloud.stack_config import Choices, local_stack_config
from tests.infra.settings import DIGEST, as_engine

KINDS: dict[str, Any] = {"aws": AwsConfig, "dns": DnsConfig, "onprem": OnPremConfig}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
CONTEXT = "hybrid-serving-local-7"


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    return write_kubeconfig(tmp_path, "https://100.64.7.2:6443")


def write_kubeconfig(folder: Path, server: str) -> Path:
    content = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


def local(role: str, kubeconfig: Path, changes: dict[str, Any] | None = None, image: str = DIGEST) -> Any:
    configs = local_stack_config(
        aws_provider=aws_provider_config("http://127.0.0.1:5000"),
        kube_context=CONTEXT,
        kubeconfig=kubeconfig,
        ca_pem=PEM,
        image=image,
        gateway_image=f"hybrid-serving.local/vpn-gateway@{DIGEST}",
        volumes=Path("/var/volumes"),
        choices=Choices(),
    )
    config = {key: as_engine(value) for key, value in configs[f"local-{role}"].items()} | (changes or {})
    return KINDS[role].parse(Settings.of(f"local-{role}", config))


def refusal(role: str, kubeconfig: Path, changes: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        local(role, kubeconfig, changes)
    (problem,) = error.value.problems
    return problem


@pytest.mark.parametrize("role", KINDS)
def test_the_settings_of_the_local_cloud_are_accepted(role: str, kubeconfig: Path) -> None:
    assert local(role, kubeconfig).environment == "local"


def test_before_the_first_image_only_the_aws_stack_is_possible(kubeconfig: Path) -> None:
    assert local("aws", kubeconfig, image="").slots["stable"].image == ""
    with pytest.raises(ConfigError, match=r"hybrid-serving:image\.digest is missing"):
        local("onprem", kubeconfig, image="")


@pytest.mark.parametrize("role", ["aws", "dns"])
@pytest.mark.parametrize("url", ["https://s3.eu-central-1.amazonaws.com", "http://10.0.0.1:5000", "127.0.0.1", ""])
def test_an_endpoint_that_is_not_loopback_is_refused(role: str, url: str, kubeconfig: Path) -> None:
    endpoints = json.dumps([{"ec2": "http://127.0.0.1:5000", "s3": url}])
    problem = refusal(role, kubeconfig, {"aws:endpoints": endpoints})
    assert f"aws:endpoints.s3 is {url!r}" in problem
    assert "loopback" in problem


@pytest.mark.parametrize("endpoints", ["", "[]", "{}", '["http://127.0.0.1"]'])
def test_a_local_stack_without_endpoints_is_refused(endpoints: str, kubeconfig: Path) -> None:
    assert "aws:endpoints" in refusal("aws", kubeconfig, {"aws:endpoints": endpoints})


@pytest.mark.parametrize("accounts", ["", "[]", '["111122223333"]', '["123456789012", "111122223333"]'])
def test_any_account_but_the_fake_one_is_refused(accounts: str, kubeconfig: Path) -> None:
    problem = refusal("aws", kubeconfig, {"aws:allowedAccountIds": accounts})
    assert "aws:allowedAccountIds" in problem
    assert "123456789012" in problem


def test_a_context_that_is_not_a_local_cloud_is_refused(kubeconfig: Path) -> None:
    problem = refusal("onprem", kubeconfig, {"kubernetes:context": "shop-onprem"})
    assert "kubernetes:context is 'shop-onprem'" in problem


@pytest.mark.parametrize("server", ["https://10.10.0.10:6443", "https://api.shop.example", "https://1100.64.7.2"])
def test_a_local_context_whose_server_is_elsewhere_is_refused(server: str, tmp_path: Path) -> None:
    problem = refusal("onprem", write_kubeconfig(tmp_path, server), {})
    assert f"the server of {CONTEXT} is {server!r}" in problem


def test_a_kubeconfig_that_does_not_hold_the_context_is_refused(tmp_path: Path) -> None:
    problem = refusal("onprem", tmp_path / "nowhere", {})
    assert "kubernetes:kubeconfig" in problem
    assert "nowhere" in problem
