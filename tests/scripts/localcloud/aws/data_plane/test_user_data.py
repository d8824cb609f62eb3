"""User data as the instances of the fleets get it."""

import pytest

from scripts.localcloud.aws.data_plane.user_data import UserDataError, environment, parse

IMAGE = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving@sha256:{'a' * 64}"


def config(*files: str) -> str:
    return "\n".join(
        ["#cloud-config", "write_files:", f"- {{path: /etc/serving/image, content: '{IMAGE}\n\n'}}", *files]
    )


def test_the_image_and_the_environment_come_from_the_files() -> None:
    boot = parse(config("- path: /etc/serving/server.env", "  content: |", "    A=1", "    B=x=y"))
    assert boot.image == IMAGE
    assert boot.environment == {"A": "1", "B": "x=y"}


def test_the_agents_environment_is_that_of_its_file_and_none_where_there_is_none() -> None:
    assert parse(config("- {path: /etc/serving/instance.env, content: 'INSTANCE_SLOT=stable'}")).agent == {
        "INSTANCE_SLOT": "stable"
    }
    assert parse(config()).agent is None


def test_files_keep_their_permissions_and_encodings() -> None:
    boot = parse(config("- {path: /etc/a, permissions: '0600', encoding: b64, content: aGk=}"))
    assert [(file.path, file.mode, file.content) for file in boot.files[1:]] == [("/etc/a", 0o600, b"hi")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "only #cloud-config"),
        ("#!/bin/sh\necho", "#!/bin/sh"),
        ("#cloud-config\nwrite_files: [", "not YAML"),
        ("#cloud-config\n", "/etc/serving/image holds ''"),
        ("#cloud-config\nwrite_files:\n- {path: /etc/serving/image, content: serving:latest}", "'serving:latest'"),
        (config("- {path: relative, content: x}"), "'relative' must be absolute"),
        (config("- {path: /etc/../x, content: x}"), "without '..'"),
        (config("- {content: x}"), "has no path"),
        (config("- {path: /a, encoding: gzip, content: x}"), "encoding 'gzip'"),
        (config("- {path: /a, encoding: b64, content: '%'}"), "not base64"),
        (config("- {path: /etc/serving/server.env, content: novalue}"), "server.env: line 'novalue' is not KEY=VALUE"),
        (config("- {path: /etc/serving/instance.env, content: bare}"), "instance.env: line 'bare' is not KEY=VALUE"),
    ],
)
def test_what_cannot_be_executed_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(UserDataError) as refused:
        parse(text)
    assert named in str(refused.value)


def test_an_environment_file_is_read_literally() -> None:
    assert environment('# comment\n\nA="quoted"\nB=\n') == {"A": '"quoted"', "B": ""}
