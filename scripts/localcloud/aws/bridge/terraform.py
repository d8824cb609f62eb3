"""A typed client of the running Terraform provider: plain values in, plain values out, errors raised."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from scripts.localcloud.aws.bridge.binary import Binary
from scripts.localcloud.aws.bridge.plugin import Plugin
from scripts.localcloud.aws.bridge.protocol import messages, services
from scripts.localcloud.aws.bridge.schema import TypeSchema, read_schema
from scripts.localcloud.aws.bridge.values import decode, encode

_ERROR = 1
CORE_VERSION = "1.9.0"
"""The Terraform version the provider is told it serves (it goes into its user agent)."""

State = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    summary: str
    detail: str
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.summary}: {self.detail}" if self.detail and self.detail != self.summary else self.summary


class TerraformError(Exception):
    """The provider refused. `state` and `private` are what it left behind when an apply failed half way."""

    def __init__(self, diagnostics: list[Diagnostic], state: State | None = None, private: bytes = b"") -> None:
        super().__init__("; ".join(map(str, diagnostics)))
        self.diagnostics, self.state, self.private = diagnostics, state, private


@dataclass(frozen=True, kw_only=True)
class Plan:
    prior: State | None
    config: State
    planned: State
    raw: bytes
    private: bytes
    replaces: list[tuple[str | int, ...]]


class Terraform:
    """One provider process and its schemas."""

    def __init__(self, plugin: Plugin, binary: Binary, cache: Path) -> None:
        self._plugin, self._binary, self._cache = plugin, binary, cache

    @cached_property
    def _stub(self) -> Any:
        return services.ProviderStub(self._plugin.channel())

    @cached_property
    def schemas(self) -> Any:
        """The schema message: from the cache when this very binary wrote it, as asking takes up to 2 s."""
        stat = self._binary.path.stat()
        file = self._cache / f"aws-schema-{self._binary.version_text}-{stat.st_size}-{stat.st_mtime_ns}.bin"
        if file.is_file():
            return messages.Schemas.FromString(file.read_bytes())
        answer = self._stub.GetSchema(messages.Nothing())
        _raise_errors(answer.diagnostics)
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._cache, delete=False) as part:
            part.write(answer.SerializeToString())
        os.replace(part.name, file)  # two bridges may do this at once; both write the same
        return answer

    @cache  # noqa: B019 - lives as long as the process
    def resource(self, type_name: str) -> TypeSchema:
        return read_schema(type_name, self.schemas.resource_schemas[type_name])

    @cache  # noqa: B019 - lives as long as the process
    def data_source(self, type_name: str) -> TypeSchema:
        return read_schema(type_name, self.schemas.data_source_schemas[type_name])

    @cached_property
    def provider(self) -> TypeSchema:
        return read_schema("provider", self.schemas.provider)

    def configure(self, config: State) -> None:
        """Give the provider its settings.

        Terraform asks PrepareProviderConfig first. All that adds here is a check of settings that exclude each other,
        and it makes the provider build all its schemas: 2 to 3 s of every command.
        """
        answer = self._stub.Configure(messages.ConfigureRequest(terraform_version=CORE_VERSION, config=_value(config)))
        _raise_errors(answer.diagnostics)

    def validate(self, schema: TypeSchema, config: State) -> list[Diagnostic]:
        """Errors of a configuration, without a call to AWS."""
        request = messages.ValidateRequest(type_name=schema.type, config=_value(config))
        return _errors(self._stub.ValidateResourceTypeConfig(request).diagnostics)

    def plan(self, schema: TypeSchema, prior: State | None, proposed: State, config: State, private: bytes) -> Plan:
        answer = self._stub.PlanResourceChange(
            messages.PlanRequest(
                type_name=schema.type,
                prior_state=_value(prior),
                proposed_new_state=_value(proposed),
                config=_value(config),
                prior_private=private,
            )
        )
        _raise_errors(answer.diagnostics)
        return Plan(
            prior=prior,
            config=config,
            planned=decode(answer.planned_state.msgpack, schema.block) or {},
            raw=answer.planned_state.msgpack,
            private=answer.planned_private,
            replaces=[_path(path) for path in answer.requires_replace],
        )

    def apply(self, schema: TypeSchema, plan: Plan) -> tuple[State, bytes]:
        """The new state and its private part; the plan goes back to the provider byte for byte."""
        state, private, errors = self._apply(schema, plan.prior, plan.raw, plan.config, plan.private)
        if errors or state is None:
            raise TerraformError(errors, state, private)
        return state, private

    def delete(self, schema: TypeSchema, prior: State, private: bytes) -> None:
        state, private, errors = self._apply(schema, prior, encode(None), None, private)
        if errors:
            raise TerraformError(errors, state, private)

    def read(self, schema: TypeSchema, state: State, private: bytes) -> tuple[State | None, bytes]:
        """The state as it is now (None: gone)."""
        request = messages.ReadRequest(type_name=schema.type, current_state=_value(state), private=private)
        answer = self._stub.ReadResource(request)
        _raise_errors(answer.diagnostics)
        return decode(answer.new_state.msgpack, schema.block), answer.private

    def import_state(self, schema: TypeSchema, identifier: str) -> tuple[State | None, bytes]:
        """The first state a resource is read from when only its id is known."""
        answer = self._stub.ImportResourceState(messages.ImportRequest(type_name=schema.type, id=identifier))
        _raise_errors(answer.diagnostics)
        found = [i for i in answer.imported_resources if i.type_name == schema.type]
        return (decode(found[0].state.msgpack, schema.block), found[0].private) if found else (None, b"")

    def upgrade(self, schema: TypeSchema, version: int, state_json: bytes) -> State:
        """A state that an older schema version wrote, in today's shape."""
        raw = messages.UpgradeRequest.Raw(json=state_json)
        request = messages.UpgradeRequest(type_name=schema.type, version=version, raw_state=raw)
        answer = self._stub.UpgradeResourceState(request)
        _raise_errors(answer.diagnostics)
        return decode(answer.upgraded_state.msgpack, schema.block) or {}

    def read_data(self, schema: TypeSchema, config: State) -> State:
        request = messages.ReadDataRequest(type_name=schema.type, config=_value(config))
        answer = self._stub.ReadDataSource(request)
        _raise_errors(answer.diagnostics)
        return decode(answer.state.msgpack, schema.block) or {}

    def _apply(
        self, schema: TypeSchema, prior: State | None, planned: bytes, config: State | None, private: bytes
    ) -> tuple[State | None, bytes, list[Diagnostic]]:
        answer = self._stub.ApplyResourceChange(
            messages.ApplyRequest(
                type_name=schema.type,
                prior_state=_value(prior),
                planned_state=messages.Value(msgpack=planned),
                config=_value(config),
                planned_private=private,
            )
        )
        return decode(answer.new_state.msgpack, schema.block), answer.private, _errors(answer.diagnostics)


def _value(value: State | None) -> Any:
    return messages.Value(msgpack=encode(value))


def _path(message: Any) -> tuple[str | int, ...]:
    return tuple(getattr(step, step.WhichOneof("selector")) for step in message.steps if step.WhichOneof("selector"))


def _errors(diagnostics: Iterable[Any]) -> list[Diagnostic]:
    return [
        Diagnostic(summary=d.summary, detail=d.detail, path=_path(d.attribute))
        for d in diagnostics
        if d.severity == _ERROR
    ]


def _raise_errors(diagnostics: Iterable[Any]) -> None:
    errors = _errors(diagnostics)
    if errors:
        raise TerraformError(errors)
