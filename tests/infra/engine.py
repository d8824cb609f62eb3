"""A small engine for unit tests: runs a program against Pulumi's mocks and remembers what was declared, and how.

It takes the place of the engine and the providers, not of our code: nothing here knows a component.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.config import set_all_config
from pulumi.runtime.settings import SETTINGS, configure, set_root_resource
from pulumi.runtime.stack import run_in_stack

ACCOUNT = "123456789012"
# Marks a secret value in the protobuf that the program sends (pulumi.runtime.rpc knows the same key).
_SECRET_KEY, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource as it was declared. `inputs` are the provider's (camelCase); `secret` names the secret ones.

    `replace_on_changes` are those of which a new value is a new resource, whatever the provider says; of
    `ignore_changes` a new value is passed over.
    """

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    protect: bool
    depends_on: frozenset[str]
    secret: frozenset[str]
    replace_on_changes: frozenset[str] = frozenset()
    ignore_changes: frozenset[str] = frozenset()
    property_depends_on: frozenset[str] = frozenset()
    """Those of `depends_on` whose outputs stand in its inputs."""


@dataclass
class Declaration:
    """What a program declared: its resources, the stacks it reads, its own outputs, and which of these are secret."""

    resources: list[Declared] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: frozenset[str] = frozenset()

    def of(self, type_: str) -> list[Declared]:
        """The resources of one type; `type_` is the end of its token, such as `ec2/vpc:Vpc`."""
        return [resource for resource in self.resources if resource.type.endswith(type_)]

    def one(self, type_: str, name: str = "") -> Declared:
        """The only resource of this type (whose name ends in `name`)."""
        found = [resource for resource in self.of(type_) if resource.name.endswith(name)]
        assert len(found) == 1, f"{len(found)} resources of {type_} ending in {name!r}"
        return found[0]

    def custom(self) -> Iterator[Declared]:
        """Everything but components."""
        return (resource for resource in self.resources if not resource.type.startswith("hybrid-serving:"))


def declare(
    program: Callable[[], Any],
    *,
    stack: str = "prod-aws",
    config: Mapping[str, str] | None = None,
    references: Mapping[str, Mapping[str, Any]] | None = None,
) -> Declaration:
    """Run `program` as the stack `stack`; `references` are the outputs of other stacks by full name."""
    monitor = _Monitor(references or {})
    loops: list[asyncio.AbstractEventLoop] = []

    def own_loop() -> None:
        # Pulumi's mocks would make one per thread, and never close it.
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    async def run() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=own_loop))
        # Inside the loop: Pulumi's bookkeeping belongs to the loop in which it was set up.
        set_all_config(dict(config or {}), [])
        configure(_settings(monitor, stack))
        set_root_resource(None)  # type: ignore[arg-type]  # the stack of the program before this one
        SETTINGS.outputs.clear()
        try:
            await run_in_stack(program)
        finally:
            # Outputs that nobody waited for: left behind, they would warn in the middle of another test.
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.gather(*others, return_exceptions=True)

    try:
        asyncio.run(run())
    finally:
        for loop in loops:
            loop.close()
    return monitor.declaration


def _settings(monitor: "_Monitor", stack: str) -> mocks.MockSettings:
    return mocks.MockSettings(
        monitor=monitor,
        monitor_features=set(monitor.GetDeploymentInfo(empty_pb2.Empty()).supportedFeatures),
        engine=mocks.MockEngine(None),
        project="hybrid-serving",
        stack=stack,
        dry_run=False,
        organization="organization",
        callbacks=None,
    )


class _Monitor(mocks.MockMonitor):
    """Reads what the mocks alone do not tell: protection, dependencies, secrets, stack outputs."""

    def __init__(self, references: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(_Provider(references))
        self.declaration = Declaration()

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.declaration.resources.append(
                Declared(
                    type=request.type,
                    name=request.name,
                    parent=request.parent.rpartition("::")[2],
                    inputs=_plain(rpc.deserialize_properties(request.object)),
                    protect=request.protect,
                    depends_on=frozenset(urn.rpartition("::")[2] for urn in request.dependencies),
                    secret=_secrets(request.object),
                    replace_on_changes=frozenset(request.replaceOnChanges),
                    ignore_changes=frozenset(request.ignoreChanges),
                    property_depends_on=_named(request.propertyDependencies.values()),
                )
            )
        return response

    def ReadResource(self, request: Any) -> Any:
        response = super().ReadResource(request)
        self.declaration.references.append(request.name)
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if "pulumi:pulumi:Stack" in request.urn and "$" not in request.urn:
            self.declaration.outputs = _plain(rpc.deserialize_properties(request.outputs))
            self.declaration.secret_outputs = _secrets(request.outputs)
        return empty_pb2.Empty()


def _named(dependencies: Iterable[Any]) -> frozenset[str]:
    return frozenset(urn.rpartition("::")[2] for dependency in dependencies for urn in dependency.urns)


def _secrets(properties: Any) -> frozenset[str]:
    return frozenset(
        key
        for key, value in properties.fields.items()
        if value.struct_value.fields.get(_SECRET_KEY, None) is not None
        and value.struct_value.fields[_SECRET_KEY].string_value == _SECRET
    )


def _plain(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


class _Provider(mocks.Mocks):
    """Computed attributes: names and ids that say where they come from, so that a wrong reference shows."""

    def __init__(self, references: Mapping[str, Mapping[str, Any]]) -> None:
        self._references = references

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            outputs = self._references[args.inputs["name"]]
            return args.inputs["name"], {**args.inputs, "outputs": outputs, "secretOutputNames": ["tunnels"]}
        kind = args.typ.rpartition(":")[2]
        computed = {"arn": f"arn:aws:test:::{args.name}", "name": args.name} | _COMPUTED.get(kind, _nothing)(args.name)
        return f"{args.name}-id", computed | args.inputs

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        return _CALLS[args.token](args.args)


def _nothing(name: str) -> dict[str, Any]:
    return {}


def _tunnels(name: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for number in (1, 2):
        attributes |= {
            f"tunnel{number}Address": f"203.0.113.1{number}",
            f"tunnel{number}VgwInsideAddress": f"169.254.1{number - 1}.1",
            f"tunnel{number}CgwInsideAddress": f"169.254.1{number - 1}.2",
            f"tunnel{number}PresharedKey": f"key-of-tunnel-{number}",
            f"tunnel{number}BgpAsn": "64512",
        }
    return attributes


def _endpoint_names(name: str) -> dict[str, Any]:
    return {"dnsEntries": [{"dnsName": f"*.vpce-of-{name}.s3.eu-central-1.vpce.amazonaws.com"}]}


def _proof(name: str) -> dict[str, Any]:
    option = {"resourceRecordName": "_x.shop.example", "resourceRecordType": "CNAME", "resourceRecordValue": "_y.acm"}
    return {"domainValidationOptions": [option]}


_COMPUTED: dict[str, Callable[[str], dict[str, Any]]] = {
    "Bucket": lambda name: {"bucket": name},
    "Certificate": _proof,
    "Image": lambda name: {"outputResources": [{"amis": [{"image": f"ami-of-{name}"}]}]},
    "Key": lambda name: {"keyId": f"key-of-{name}"},
    "LaunchTemplate": lambda name: {"latestVersion": 7},
    "LoadBalancer": lambda name: {
        "arnSuffix": f"app/{name}/1",
        "dnsName": f"{name}.elb.amazonaws.com",
        "zoneId": "Z-ELB",
    },
    "Record": lambda name: {"fqdn": f"{name}.shop.example"},
    "Repository": lambda name: {"repositoryUrl": f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/{name}"},
    "TargetGroup": lambda name: {"arnSuffix": f"targetgroup/{name}/2"},
    "VpcEndpoint": _endpoint_names,
    "VpnConnection": _tunnels,
}
_CALLS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": lambda args: {"names": ["a", "b", "c", "d"]},
    "aws:index/getCallerIdentity:getCallerIdentity": lambda args: {"accountId": ACCOUNT},
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": lambda args: {"arn": f"arn:aws:iam::{ACCOUNT}:found"},
    "aws:route53/getZone:getZone": lambda args: {"zoneId": f"zone-of-{args['name']}"},
    "aws:ssm/getParameter:getParameter": lambda args: {"insecureValue": "ami-0123456789abcdef0"},
}
