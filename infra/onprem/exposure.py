"""How the site's servers are reached from outside, on port 443 of one address. TLS ends in the pods, always."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import apiextensions, core, meta, networking

from infra.config.exposure import PASSTHROUGH, ExposureConfig
from infra.names import Names
from infra.onprem.pod import PORT

PUBLIC_PORT = 443
_TYPES = {"loadBalancer": "LoadBalancer", "nodePort": "NodePort"}


@dataclass(frozen=True, kw_only=True)
class ExposureArgs:
    """`selector` are the labels of the pods that answer."""

    names: Names
    namespace: Input[str]
    selector: Mapping[str, str]
    config: ExposureConfig


class Exposure(pulumi.ComponentResource):
    """A Service, and where a proxy of the cluster owns the address, the route that leads from the proxy to it.

    `externalIPs`: the nodes take the address themselves. `loadBalancer`: the cluster's load balancer controller does.
    `nodePort`: only for use behind the company's own load balancer, which owns the address and speaks to the nodes
    (a DNS name carries addresses, not ports). `gateway` and `ingress`: the proxy reads the name and passes TLS through.
    """

    address: Output[str]

    def __init__(self, name: str, args: ExposureArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Exposure", name, None, opts)
        self._name, self._args = name, args
        service = core.v1.Service(
            f"{name}-service",
            metadata=self._metadata(),
            spec=_service(args.config, args.selector),
            opts=ResourceOptions(parent=self),
        ).metadata.name
        if args.config.mode == "gateway":
            self._tls_route(service)
        if args.config.mode == "ingress":
            self._ingress(service)
        self.address = Output.from_input(args.config.address)
        self.register_outputs({"address": self.address})

    def _metadata(self, annotations: Mapping[str, str] | None = None) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name="serving",
            namespace=self._args.namespace,
            labels=self._args.names.labels("serving"),
            annotations=self._args.names.annotations() | dict(annotations or {}),
        )

    def _tls_route(self, service: Output[str]) -> None:
        config = self._args.config
        apiextensions.CustomResource(
            f"{self._name}-route",
            api_version=f"gateway.networking.k8s.io/{config.tls_route_version}",
            kind="TLSRoute",
            metadata=self._metadata(),
            spec=service.apply(lambda name: tls_route(config, service=name)),
            opts=ResourceOptions(parent=self),
        )

    def _ingress(self, service: Output[str]) -> None:
        config = self._args.config
        backend = networking.v1.IngressServiceBackendArgs(
            name=service, port=networking.v1.ServiceBackendPortArgs(number=PUBLIC_PORT)
        )
        path = networking.v1.HTTPIngressPathArgs(
            path="/", path_type="Prefix", backend=networking.v1.IngressBackendArgs(service=backend)
        )
        networking.v1.Ingress(
            f"{self._name}-ingress",
            metadata=self._metadata({PASSTHROUGH[config.ingress_class]: "true"}),
            spec=networking.v1.IngressSpecArgs(
                ingress_class_name=config.ingress_class,
                rules=[
                    networking.v1.IngressRuleArgs(
                        host=config.hostname, http=networking.v1.HTTPIngressRuleValueArgs(paths=[path])
                    )
                ],
                # Without a Secret: the controller holds no key of ours and must not end TLS.
                tls=[networking.v1.IngressTLSArgs(hosts=[config.hostname])],
            ),
            opts=ResourceOptions(parent=self),
        )


def tls_route(config: ExposureConfig, *, service: str) -> dict[str, Any]:
    """The spec of a route by the name that the client asks for (Gateway API, "TLSRoute"). Pure."""
    namespace, gateway = config.gateway
    return {
        "parentRefs": [{"namespace": namespace, "name": gateway, "port": PUBLIC_PORT}],
        "hostnames": [config.hostname],
        "rules": [{"backendRefs": [{"name": service, "port": PUBLIC_PORT}]}],
    }


def _service(config: ExposureConfig, selector: Mapping[str, str]) -> core.v1.ServiceSpecArgs:
    node_port = config.node_port if config.mode == "nodePort" else None
    port = core.v1.ServicePortArgs(name="https", port=PUBLIC_PORT, target_port=PORT, node_port=node_port)
    return core.v1.ServiceSpecArgs(
        type=_TYPES.get(config.mode, "ClusterIP"),
        selector=dict(selector),
        ports=[port],
        external_ips=[config.address] if config.mode == "externalIPs" else None,
        load_balancer_ip=config.address if config.mode == "loadBalancer" else None,
    )
