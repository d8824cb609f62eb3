"""Answers to the engine that take more than one line: a diff, and a resource that exists but is not right."""

from typing import Any

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from scripts.localcloud.aws.bridge.diff import Change, changes, path_text, visible
from scripts.localcloud.aws.bridge.naming import DEFAULTS, name_property
from scripts.localcloud.aws.bridge.resources import Properties, identifier
from scripts.localcloud.aws.bridge.schema import TypeSchema
from scripts.localcloud.aws.bridge.struct import to_struct
from scripts.localcloud.aws.bridge.terraform import Plan, TerraformError
from scripts.localcloud.aws.bridge.values import sensitive_properties


def diff_reply(schema: TypeSchema, plan: Plan, olds: Properties, news: Properties, old_inputs: Properties) -> Any:
    """What `plan` changes, property by property, and which of these need a new resource."""
    found = changes(schema.block, plan.prior or {}, plan.planned, schema.type)
    replaces = sorted({str(c.pulumi[0]) for c in found if c.replaces(plan.replaces)})
    named = name_property(schema)
    # A name that the program chose is taken until the old resource is gone.
    chosen = named is not None and news.get(named) == olds.get(named) and named not in (news.get(DEFAULTS) or [])
    reply = provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=replaces,
        diffs=sorted({str(c.pulumi[0]) for c in visible(found)}),
        deleteBeforeReplace=bool(replaces) and chosen,
        hasDetailedDiff=True,
    )
    for change in visible(found):
        top = str(change.pulumi[0])
        reply.detailedDiff[path_text(change.pulumi)].CopyFrom(
            provider_pb2.PropertyDiff(
                kind=_kind(change, change.replaces(plan.replaces)), inputDiff=old_inputs.get(top) != news.get(top)
            )
        )
    return reply


def abort_half_made(
    context: grpc.ServicerContext,
    error: TerraformError,
    schema: TypeSchema,
    left: Properties,
    news: Properties,
    secrets: frozenset[str],
) -> None:
    """Tell the engine that the resource exists as `left`: it keeps it and repairs it on the next up."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=identifier(left),
            properties=sealed_struct(schema, left, secrets),
            reasons=[str(d) for d in error.diagnostics],
            inputs=sealed_struct(schema, news, secrets),
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(error))


def sealed_struct(schema: TypeSchema, values: Properties, secrets: frozenset[str]) -> Any:
    """`values` as a message, with the properties in `secrets` and all that hold something sensitive wrapped."""
    return to_struct(values, secrets | sensitive_properties(values, schema.block, (schema.type,)))


def _kind(change: Change, replaces: bool) -> Any:
    name = "ADD" if change.adds else "DELETE" if change.deletes else "UPDATE"
    return getattr(provider_pb2.PropertyDiff, f"{name}_REPLACE" if replaces else name)
