"""The life of one resource: plan, create, update, read, delete, in Pulumi's properties."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from scripts.localcloud.aws.bridge.diff import path_text
from scripts.localcloud.aws.bridge.names import properties
from scripts.localcloud.aws.bridge.plan import proposed_new
from scripts.localcloud.aws.bridge.schema import TypeSchema
from scripts.localcloud.aws.bridge.terraform import Plan, State, Terraform, TerraformError
from scripts.localcloud.aws.bridge.values import TIMEOUTS, settable_only, to_pulumi, to_terraform

META = "__meta"
"""Hidden output: the schema version and the provider's private bytes, as JSON text."""
_SDK_TIMEOUTS = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"
"""The key under which the provider's SDK keeps timeouts (in ns) in the private part of a state."""

EMPTY: tuple[Any, ...] = ("", 0, False, [], {})

Properties = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resources:
    terraform: Terraform
    region: str

    def plan(
        self, schema: TypeSchema, olds: Properties | None, news: Properties, operation: str = "", seconds: float = 0
    ) -> Plan:
        """The provider's plan from the state `olds` (None: it does not exist) to the inputs `news`.

        `operation` ("create" or "update") and `seconds` carry a custom timeout into the configuration.
        """
        prior, private = self.state(schema, olds) if olds is not None else (None, b"")
        config = to_terraform(news, schema.block, (schema.type,))
        limits = schema.block.blocks.get(TIMEOUTS)
        if seconds and limits and operation in limits.block.attributes:
            config[TIMEOUTS] = {n: f"{seconds:g}s" if n == operation else None for n in limits.block.attributes}
        return self.terraform.plan(schema, prior, proposed_new(schema.block, prior, config), config, private)

    def apply(self, schema: TypeSchema, plan: Plan) -> Properties:
        state, private = self.terraform.apply(schema, plan)
        return self.outputs(schema, state, private)

    def delete(self, schema: TypeSchema, olds: Properties, seconds: float) -> None:
        prior, private = self.state(schema, olds)
        if seconds and private:
            stored = json.loads(private)
            stored[_SDK_TIMEOUTS] = stored.get(_SDK_TIMEOUTS, {}) | {"delete": int(seconds * 1e9)}
            private = json.dumps(stored).encode()
        self.terraform.delete(schema, prior, private)

    def refresh(self, schema: TypeSchema, olds: Properties) -> Properties | None:
        """The properties as they are now, None when the resource is gone."""
        state, private = self.terraform.read(schema, *self.state(schema, olds))
        return None if state is None else self.outputs(schema, state, private)

    def adopt(self, schema: TypeSchema, identifier: str) -> Properties | None:
        """The properties of a resource of which only the id is known, None when there is none."""
        state, private = self.terraform.import_state(schema, identifier)
        if state is not None:
            state, private = self.terraform.read(schema, state, private)
        return None if state is None else self.outputs(schema, state, private)

    def settable(self, schema: TypeSchema, outputs: Properties) -> Properties:
        """`outputs` without what only the provider sets."""
        state = to_terraform(outputs, schema.block, (schema.type,))
        shown = to_pulumi(settable_only(state, schema.block), schema.block, (schema.type,))
        return {k: v for k, v in shown.items() if k not in ("tagsAll", "id")}

    def inputs(self, schema: TypeSchema, outputs: Properties) -> Properties:
        """What a program would write to get `outputs`: no empty values, most of them are the provider's defaults."""
        return {k: v for k, v in self.settable(schema, outputs).items() if v not in EMPTY}

    def outputs(self, schema: TypeSchema, state: State, private: bytes) -> Properties:
        shown = to_pulumi(state, schema.block, (schema.type,))
        meta = {"schema_version": schema.version, "private": base64.b64encode(private).decode()}
        return {"region": self.region} | shown | {META: json.dumps(meta)}

    def preview(self, schema: TypeSchema, plan: Plan) -> Properties:
        return {"region": self.region} | to_pulumi(plan.planned, schema.block, (schema.type,))

    def state(self, schema: TypeSchema, outputs: Properties) -> tuple[State, bytes]:
        """The Terraform state that `outputs` stand for, and its private part."""
        meta = json.loads(outputs.get(META) or "{}")
        private = base64.b64decode(meta.get("private", ""))
        state = to_terraform(outputs, schema.block, (schema.type,))
        version = meta.get("schema_version", schema.version)
        if version < schema.version:
            state = self.terraform.upgrade(schema, version, json.dumps(state).encode())
        return state, private

    def left_behind(self, schema: TypeSchema, error: TerraformError) -> Properties | None:
        """What exists although the apply failed, None when nothing does."""
        return self.outputs(schema, error.state, error.private) if error.state else None


def identifier(outputs: Properties) -> str:
    """Pulumi's id of a resource: Terraform's, or the ARN of the few types that have none."""
    return str(outputs.get("id") or outputs.get("arn") or "-")


def drifted_inputs(
    schema: TypeSchema, inputs: Properties, olds: Properties, now: Properties, settable: Properties
) -> Properties:
    """`inputs` with every property taken over that differs between the known and the present state.

    `settable` is the present state without what only the provider sets. What the program leaves to the provider
    (optional and computed) is no drift of the program's, and neither is an empty value it never mentioned.
    """
    own = {p.pulumi for p in properties(schema.block, (schema.type,)) if not getattr(p.element, "computed", False)}
    result = dict(inputs)
    for name in inputs.keys() | {k for k in settable.keys() & own if settable[k] not in EMPTY}:
        if name.startswith("__") or olds.get(name) == now.get(name):
            continue
        if name in settable:
            result[name] = settable[name]
        else:
            result.pop(name, None)
    return result


def keep_ignored(news: Properties, state: Properties, ignored: list[str]) -> Properties:
    """`news` with the ignored properties as the state has them, so that their drift is not planned away.

    Understood are a property (`desiredCapacity`) and one key of a map (`tags.owner`); a deeper path ignores its whole
    property.
    """
    result = dict(news)
    for path in ignored:
        name, *rest = re.split(r"[.\[]", path)
        held = state.get(name, {})
        if len(rest) == 1 and "[" not in path and isinstance(held, dict):
            result[name] = {**(result.get(name) or {}), rest[0]: held.get(rest[0])}
        else:
            result[name] = state.get(name)
    return {k: _without_nulls(v) for k, v in result.items() if v is not None}


def property_path(schema: TypeSchema, terraform_path: tuple[str | int, ...]) -> str:
    """The Pulumi path of a Terraform path that a diagnostic names ("" for the whole resource)."""
    if not terraform_path:
        return ""
    names = {p.terraform: p.pulumi for p in properties(schema.block, (schema.type,))}
    head, *rest = terraform_path
    return path_text((names.get(str(head), str(head)), *rest))


def _without_nulls(value: Any) -> Any:
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
