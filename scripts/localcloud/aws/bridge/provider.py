"""The Pulumi side: the gRPC service that the engine calls, one method per step of a resource's life."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from scripts.localcloud.aws.bridge import configuration
from scripts.localcloud.aws.bridge.diff import path_text
from scripts.localcloud.aws.bridge.names import UnknownToken, terraform_type
from scripts.localcloud.aws.bridge.naming import NameRequest, with_name
from scripts.localcloud.aws.bridge.refusals import other_region, unknown_properties
from scripts.localcloud.aws.bridge.replies import abort_half_made, diff_reply, sealed_struct
from scripts.localcloud.aws.bridge.resources import (
    META,
    Properties,
    Resources,
    drifted_inputs,
    identifier,
    keep_ignored,
    property_path,
)
from scripts.localcloud.aws.bridge.schema import TypeSchema
from scripts.localcloud.aws.bridge.struct import from_struct, to_struct
from scripts.localcloud.aws.bridge.terraform import Plan, Terraform, TerraformError
from scripts.localcloud.aws.bridge.values import to_pulumi, to_terraform
from scripts.localcloud.console import UserError

SDK_VERSION = "7.51.1"
_NAMING_MODES = {0: "propose", 1: "enforce", 2: "off"}

Method = TypeVar("Method", bound=Callable[..., Any])


def _with_errors(method: Method) -> Method:
    """Turn what a method raises into a gRPC status whose text is the whole message."""

    @wraps(method)
    def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except (TerraformError, UnknownToken, UserError, ValueError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except grpc.RpcError as error:
            context.abort(grpc.StatusCode.INTERNAL, f"terraform-provider-aws: {error}")

    return cast(Method, call)


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """`aws` for the engine. `stop` ends this process and the Terraform provider below it."""

    def __init__(self, terraform: Terraform, stop: Callable[[], None]) -> None:
        self._terraform, self._stop = terraform, stop
        self._resources = Resources(terraform=terraform, region="")

    # --- the provider itself ---

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        # The schema is read while the program starts, so that the first Check does not wait for it.
        threading.Thread(target=lambda: self._terraform.schemas, daemon=True).start()
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=SDK_VERSION)

    @_with_errors
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    @_with_errors
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        olds, news = from_struct(request.olds)[0], from_struct(request.news)[0]
        changed = sorted(k for k in olds.keys() | news.keys() if olds.get(k) != news.get(k) and k != "version")
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [k for k in changed if k in configuration.REPLACING]
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces)

    @_with_errors
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        arguments = configuration.parse(from_struct(request.args)[0])
        self._terraform.configure(configuration.terraform_config(arguments, self._terraform.provider))
        self._resources = Resources(terraform=self._terraform, region=arguments["region"])
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        threading.Timer(0.1, self._stop).start()  # after the answer is out
        return empty_pb2.Empty()

    # --- functions ---

    @_with_errors
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        schema = self._terraform.data_source(terraform_type(request.tok, self._terraform.schemas.data_source_schemas))
        arguments, secrets = from_struct(request.args)
        failures = [
            *unknown_properties({k: v for k, v in arguments.items() if k != "region"}, schema.block, (schema.type,)),
            *other_region(arguments, schema.block, self._resources.region),
        ]
        if failures:
            return provider_pb2.InvokeResponse(
                failures=[provider_pb2.CheckFailure(property=path_text(p), reason=reason) for p, reason in failures]
            )
        state = self._terraform.read_data(schema, to_terraform(arguments, schema.block, (schema.type,)))
        result = {"region": self._resources.region} | to_pulumi(state, schema.block, (schema.type,))
        return provider_pb2.InvokeResponse(**{"return": sealed_struct(schema, result, secrets)})

    # --- resources ---

    @_with_errors
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        schema, block = self._schema(request), self._schema(request).block
        news, secrets = from_struct(request.news)
        region = self._resources.region
        failures = [(path_text(p), why) for p, why in other_region(news, block, region)]
        if "region" not in block or not block.attributes["region"].settable:
            news.pop("region", None)
        failures += [(path_text(p), why) for p, why in unknown_properties(news, block, (schema.type,))]
        if not failures:
            news = with_name(schema, news, from_struct(request.olds)[0], _name_request(request))
            config = to_terraform(news, block, (schema.type,))
            failures = [(property_path(schema, d.path), str(d)) for d in self._terraform.validate(schema, config)]
        return provider_pb2.CheckResponse(
            inputs=to_struct(news, secrets),
            failures=[provider_pb2.CheckFailure(property=where, reason=why) for where, why in failures],
        )

    @_with_errors
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        schema = self._schema(request)
        olds, old_inputs = from_struct(request.olds)[0], from_struct(request.old_inputs)[0]
        news = self._news(schema, request, olds)
        plan = self._resources.plan(schema, olds, news)
        return diff_reply(schema, plan, olds, news, old_inputs)

    @_with_errors
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        schema = self._schema(request)
        news, secrets = from_struct(request.properties)
        plan = self._resources.plan(schema, None, news, "create", request.timeout)
        if request.preview:
            planned = self._resources.preview(schema, plan)
            return provider_pb2.CreateResponse(properties=sealed_struct(schema, planned, secrets))
        outputs = self._apply(schema, plan, news, secrets, context)
        return provider_pb2.CreateResponse(id=identifier(outputs), properties=sealed_struct(schema, outputs, secrets))

    @_with_errors
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        schema = self._schema(request)
        olds = from_struct(request.olds)[0]
        news = self._news(schema, request, olds)
        plan = self._resources.plan(schema, olds, news, "update", request.timeout)
        secrets = from_struct(request.news)[1]
        if request.preview:
            outputs = self._resources.preview(schema, plan)
        else:
            outputs = self._apply(schema, plan, news, secrets, context)
        return provider_pb2.UpdateResponse(properties=sealed_struct(schema, outputs, secrets))

    @_with_errors
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        schema = self._schema(request)
        olds, old_secrets = from_struct(request.properties)
        inputs, input_secrets = from_struct(request.inputs)
        known = META in olds
        now = self._resources.refresh(schema, olds) if known else self._resources.adopt(schema, request.id)
        if now is None:
            return provider_pb2.ReadResponse(id="")
        if known:
            as_inputs = drifted_inputs(schema, inputs, olds, now, self._resources.settable(schema, now))
        else:
            as_inputs = self._resources.inputs(schema, now)
        secrets = old_secrets | input_secrets
        return provider_pb2.ReadResponse(
            id=identifier(now),
            properties=sealed_struct(schema, now, secrets),
            inputs=sealed_struct(schema, as_inputs, secrets),
        )

    @_with_errors
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._resources.delete(self._schema(request), from_struct(request.properties)[0], request.timeout)
        return empty_pb2.Empty()

    # --- shared ---

    def _schema(self, request: Any) -> TypeSchema:
        token = request.urn.split("::")[2].split("$")[-1]
        return self._terraform.resource(terraform_type(token, self._terraform.schemas.resource_schemas))

    def _news(self, schema: TypeSchema, request: Any, olds: Properties) -> Properties:
        news = from_struct(request.news)[0]
        ignored = list(request.ignoreChanges)
        return keep_ignored(news, self._resources.settable(schema, olds), ignored) if ignored else news

    def _apply(
        self, schema: TypeSchema, plan: Plan, news: Properties, secrets: frozenset[str], context: grpc.ServicerContext
    ) -> Properties:
        try:
            return self._resources.apply(schema, plan)
        except TerraformError as error:
            left = self._resources.left_behind(schema, error)
            if left is None:
                raise
            abort_half_made(context, error, schema, left, news, secrets)
            raise


def _name_request(request: Any) -> NameRequest:
    mode = _NAMING_MODES[request.autonaming.mode] if request.HasField("autonaming") else ""
    return NameRequest(
        resource=request.urn.split("::")[-1],
        seed=request.randomSeed,
        mode=mode,
        proposed=request.autonaming.proposed_name if mode in ("propose", "enforce") else "",
    )
