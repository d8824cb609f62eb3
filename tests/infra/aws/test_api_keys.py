"""Who may ask the servers in AWS: from the setting to the file that a server reads, and nobody else may read it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.aws.bootstrap import MOST_BYTES, host_environment, user_data
from infra.aws.policies.instance import run_instance
from infra.aws.units import BOOT, KEYS, boot, units
from infra.config import AwsConfig
from infra.config.reader import ConfigError
from infra.config.source import Settings
from tests.infra.aws.host_machine import HOST, Machine
from tests.infra.aws.policies.estates import LOG_GROUP, PEOPLE, SCOPE, WORKLOADS
from tests.infra.aws.test_bootstrap import CLOUD, PRIVATE, environment, files
from tests.infra.settings import example

NAME = "/shop/serving/api-keys"
ARN = f"arn:aws:ssm:eu-central-1:123456789012:parameter{NAME}"
KEYED = replace(CLOUD, api_keys_parameter=NAME)


def parsed(value: object) -> AwsConfig:
    return AwsConfig.parse(Settings.of("prod-aws", example("aws", {"fleet.apiKeysParameter": value})))


def test_the_name_of_a_parameter_of_ones_own_is_taken() -> None:
    assert parsed(NAME).fleet.api_keys_parameter == NAME


@pytest.mark.parametrize(
    "value", ["api keys", "api-keys", "/aws/service/keys", "/SSM-x/y", f"/{'k' * 200}", "/a/", "/*"]
)
def test_other_names_are_refused_by_field_value_and_rule(value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(value)
    (problem,) = raised.value.problems
    assert problem.startswith(f"hybrid-serving:fleet.apiKeysParameter is {value!r}: ")
    assert "such as /shop/serving/api-keys" in problem


def test_the_server_reads_the_file_that_the_script_writes_below_what_its_container_sees() -> None:
    path = environment(KEYED, "server")["SERVING_API_KEYS"]
    assert environment(KEYED, "host")["API_KEYS"] == path
    assert path.startswith("/etc/serving/")
    assert environment(KEYED, "host")["API_KEYS_PARAMETER"] == NAME
    assert "/usr/local/sbin/serving-keys" in files(KEYED)


def test_without_the_setting_there_is_nothing_of_it() -> None:
    assert "SERVING_API_KEYS" not in environment(CLOUD, "server")
    assert "serving-keys" not in user_data(CLOUD)


def test_keys_are_there_before_the_server_and_are_kept_up_to_date() -> None:
    written = units("stable", True, True)
    steps = [line for line in written["serving.service"].splitlines() if line.startswith("ExecStartPre=")]
    assert "ExecStartPre=/usr/local/sbin/serving-keys" in steps
    assert "ExecStart=/usr/local/sbin/serving-keys watch" in written[KEYS]
    assert KEYS in boot(True)[-1]
    assert boot(False) == BOOT


def test_two_certificates_still_fit_beside_the_script() -> None:
    longest = replace(
        PRIVATE,
        bucket="b" * 63,
        log_group="g" * 100,
        ca_bundle=PRIVATE.ca_bundle + "M" * 4000,
        api_keys_parameter=f"/{'k' * 199}",
    )
    assert len(user_data(longest).encode()) < MOST_BYTES


def test_an_instance_may_read_that_one_parameter_and_decrypt_nothing_else() -> None:
    statements = {statement["Sid"]: statement for statement in run_instance(SCOPE, LOG_GROUP, NAME)["Statement"]}
    assert statements["ReadApiKeys"]["Resource"] == [ARN]
    assert statements["ReadApiKeys"]["Action"] == ["ssm:GetParameter"]
    assert statements["DecryptApiKeys"]["Condition"]["StringEquals"]["kms:EncryptionContext:PARAMETER_ARN"] == ARN
    assert "ReadApiKeys" not in str(run_instance(SCOPE, LOG_GROUP))


def test_no_other_role_may_read_it() -> None:
    others = {**WORKLOADS, **PEOPLE}
    del others["instance"]
    assert not [role for role, document in others.items() if f"parameter{NAME}" in str(document)]


class TestScript:
    @pytest.fixture
    def machine(self, tmp_path: Path) -> Machine:
        made = Machine(tmp_path)
        made.has_real("mkdir", "dirname", "mv", "chmod", "mktemp", "rm")
        made.has("chown")
        return made

    def run(self, machine: Machine, *arguments: str) -> Any:
        file = str(machine.folder / "keys/api-keys")
        return machine.run("serving-keys", *arguments, **host_environment(KEYED) | {"API_KEYS": file})

    def test_the_file_is_the_parameter_and_belongs_to_the_server(self, machine: Machine) -> None:
        machine.has("aws", body="echo shop-1 abc")
        done = self.run(machine)
        assert (done.returncode, done.stdout) == (0, "")
        file = machine.folder / "keys/api-keys"
        assert (file.read_text(), file.stat().st_mode & 0o777) == ("shop-1 abc\n", 0o400)
        (called,) = machine.called("aws")
        assert f"ssm get-parameter --region eu-central-1 --name {NAME} --with-decryption" in called
        assert machine.called("chown")[0].startswith("chown 10001:10001 ")

    def test_what_cannot_be_read_leaves_the_file_and_a_server_starts_with_it(self, machine: Machine) -> None:
        machine.has("aws", body="echo shop-1 abc")
        self.run(machine)
        machine.has("aws", body="echo half; exit 254")
        done = self.run(machine)
        assert done.returncode == 0
        assert "the keys stay as they are" in done.stderr
        assert (machine.folder / "keys/api-keys").read_text() == "shop-1 abc\n"

    def test_without_any_file_no_server_starts(self, machine: Machine) -> None:
        machine.has("aws", body="exit 254")
        assert self.run(machine).returncode != 0
        assert not (machine.folder / "keys/api-keys").exists()

    def test_a_watch_reads_again_and_again(self, machine: Machine) -> None:
        machine.has("aws", body="echo shop-1 abc")
        machine.has("sleep", body=f'(( $(grep -c sleep "{machine.folder}/called") < 3 ))')
        self.run(machine, "watch")
        assert machine.called("sleep") == ["sleep 60"] * 3
        assert len(machine.called("aws")) == 3

    def test_of_two_that_write_at_once_one_that_fails_spoils_nothing(self, machine: Machine) -> None:
        """The second writes from beginning to end while the first reads, and then fails."""
        script, done = HOST / "serving-keys", machine.folder / "second"
        second = f'touch "{done}"; bash "{script}" >&2; echo half; exit 254'
        machine.has_real("touch")
        machine.has("aws", body=f'if [ -f "{done}" ]; then echo shop-1 abc; else {second}; fi')
        self.run(machine)
        assert (machine.folder / "keys/api-keys").read_text() == "shop-1 abc\n"
        assert [file.name for file in (machine.folder / "keys").iterdir()] == ["api-keys"]
