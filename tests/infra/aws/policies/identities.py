"""The component `identity` as it declares its roles, for the tests of it and of what its roles can do."""

import json
from functools import cache
from typing import Any

from infra.aws.identity import Identity, IdentityArgs
from infra.config.access import AccessConfig
from infra.names import Names
from tests.infra.aws.policies.estates import (
    AMI_PARAMETER,
    API_KEYS_PARAMETER,
    BUCKET,
    DOMAIN,
    ISSUER,
    KEY,
    LOG_GROUP,
    REGION,
    REPOSITORY,
)
from tests.infra.engine import Declaration, Declared, declare


def arguments(trainer: str = "", **access: Any) -> IdentityArgs:
    """With this access; who is not given is left to the account."""
    left_out = dict.fromkeys(("publishers", "collectors", "previewers", "deployers", "github"))
    return IdentityArgs(
        names=Names(environment="prod", role="aws"),
        region=REGION,
        bucket_arn=BUCKET,
        key_arn=KEY,
        repository_arn=REPOSITORY,
        log_group_arn=LOG_GROUP,
        oidc_issuer=ISSUER,
        service_accounts=("serving/serving",),
        trainer_account=trainer,
        domain=DOMAIN,
        ami_parameter=AMI_PARAMETER,
        api_keys_parameter=API_KEYS_PARAMETER,
        access=AccessConfig(**left_out | access),
    )


def made(trainer: str = "", **access: Any) -> Declaration:
    return declare(lambda: Identity("prod-identity", arguments(trainer, **access)))


@cache
def plain() -> Declaration:
    return made()


def roles(declared: Declaration) -> dict[str, Declared]:
    return {r.name.removeprefix("prod-identity-"): r for r in declared.of("iam/role:Role")}


def trust(declared: Declaration, part: str) -> dict[str, Any]:
    return json.loads(roles(declared)[part].inputs["assumeRolePolicy"])  # type: ignore[no-any-return]


def own_rights(declared: Declaration) -> dict[str, dict[str, Any]]:
    """By role: the rights that it has of its own."""
    found = declared.of(":RolePolicy")
    return {r.inputs["role"].removeprefix("prod-identity-"): json.loads(r.inputs["policy"]) for r in found}


def policies(declared: Declaration) -> dict[str, dict[str, Any]]:
    """The managed policies, the boundary among them."""
    found = declared.of("iam/policy:Policy")
    return {p.name.removeprefix("prod-identity-"): json.loads(p.inputs["policy"]) for p in found}


def attached(declared: Declaration, part: str) -> list[str]:
    """The names of the managed policies of a role."""
    return sorted(
        a.inputs["policyArn"].rpartition(":")[2].removeprefix("prod-identity-")
        for a in declared.of(":RolePolicyAttachment")
        if a.inputs["role"] == f"prod-identity-{part}"
    )
