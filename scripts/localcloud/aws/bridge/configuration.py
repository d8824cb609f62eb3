"""The provider's own configuration: `aws:*` keys as the engine sends them, made into Terraform's."""

import json
from typing import Any

from scripts.localcloud.aws.bridge.names import by_pulumi
from scripts.localcloud.aws.bridge.refusals import endpoints_outside
from scripts.localcloud.aws.bridge.schema import TypeSchema
from scripts.localcloud.aws.bridge.struct import from_struct, to_struct
from scripts.localcloud.aws.bridge.values import to_terraform
from scripts.localcloud.console import UserError

_ENGINE_KEYS = {"version", "pluginDownloadURL"}
REPLACING = {"region"}
"""Provider arguments that move every resource when they change."""


def parse(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with their nested values, which the engine sends as JSON text."""
    return {
        key: from_struct(to_struct({"it": json.loads(value)}))[0]["it"]
        if isinstance(value, str) and value[:1] in ("{", "[")
        else value
        for key, value in arguments.items()
        if key not in _ENGINE_KEYS
    }


def terraform_config(arguments: dict[str, Any], schema: TypeSchema) -> dict[str, Any]:
    """The Terraform provider's configuration. Raises UserError for a key it does not know or an endpoint outside."""
    known = by_pulumi(schema.block, ("provider",))
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise UserError(f"aws:{unknown[0]}: terraform-provider-aws 5.100 has no such setting; remove the key")
    refused = endpoints_outside(arguments.get("endpoints") or [])
    if refused:
        raise UserError("; ".join(refused))
    if not arguments.get("region"):
        raise UserError("aws:region is not set: the provider needs one; set it in the stack's config")
    return to_terraform(arguments, schema.block, ("provider",))
