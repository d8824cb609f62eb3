"""What watches over the site: rules for its Prometheus, a dashboard for its Grafana, as objects that both find."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import yaml
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import apiextensions, core, meta

from infra.config.site_watch import SiteWatchConfig
from infra.names import Names
from infra.onprem.gateway import PART as GATEWAY
from infra.onprem.registry_cache import PART as CACHE
from infra.onprem.serving import PART as SERVING
from infra.onprem.site_dashboard import dashboard
from infra.onprem.site_rules import rule_groups

# By these labels the usual side containers of Prometheus and Grafana find files.
RULES, DASHBOARD = {"prometheus-rules": "true"}, {"grafana_dashboard": "1"}
# Side containers write each key as a file, and what Prometheus reads are usually *.yaml.
RULE_FILE = "serving-rules.yaml"
OPERATOR = "monitoring.coreos.com/v1"


@dataclass(frozen=True, kw_only=True)
class SiteWatchArgs:
    """`namespace` is the servers', `servers` the least number of them.

    `tunnels`: the gateway's pods report them; `cache`: there is a registry cache.
    """

    names: Names
    namespace: Input[str]
    config: SiteWatchConfig
    servers: int
    tunnels: bool
    cache: bool


class SiteWatch(pulumi.ComponentResource):
    """The rules in a ConfigMap or in the Prometheus Operator's own kind of object, and the dashboard in a ConfigMap.

    A Prometheus of the Operator passes pods' annotations over, so it is told of each part that reports. Any other reads
    the annotated pods by itself; it has to give their series the label `namespace`, and to take a certificate that is
    not for the address it asks.
    """

    def __init__(self, name: str, args: SiteWatchArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:SiteWatch", name, None, opts)
        self._args = args
        namespace = Output.from_input(args.namespace)
        rules = namespace.apply(
            lambda it: rule_groups(args.config, it, servers=args.servers, tunnels=args.tunnels, cache=args.cache)
        )
        if args.config.rules == "prometheusRule":
            self._custom(f"{name}-rules", "PrometheusRule", "serving-rules", rules)
            for part, port, scheme in _reporting(args):
                self._custom(f"{name}-{part}", "PodMonitor", part, monitor(args.names.selector(part), port, scheme))
        else:
            text = rules.apply(lambda it: yaml.safe_dump(it, sort_keys=False, width=1000))
            self._config_map(f"{name}-rules", "serving-rules", RULES, {RULE_FILE: text})
        environment = args.names.environment
        document = namespace.apply(
            lambda it: dashboard(args.config, it, environment, tunnels=args.tunnels, cache=args.cache)
        )
        text = document.apply(lambda it: json.dumps(it, indent=2))
        self._config_map(
            f"{name}-dashboard", "serving-dashboard", DASHBOARD, {f"hybrid-serving-{environment}.json": text}
        )
        self.register_outputs({})

    def _config_map(self, name: str, called: str, found_by: dict[str, str], data: dict[str, Output[str]]) -> None:
        metadata = self._metadata(called, found_by)
        core.v1.ConfigMap(name, metadata=metadata, data=data, opts=ResourceOptions(parent=self))

    def _custom(self, name: str, kind: str, called: str, spec: Input[dict[str, Any]]) -> None:
        apiextensions.CustomResource(
            name,
            api_version=OPERATOR,
            kind=kind,
            metadata=self._metadata(called, self._args.config.labels),
            spec=spec,
            opts=ResourceOptions(parent=self),
        )

    def _metadata(self, name: str, found_by: Mapping[str, str]) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name=name,
            namespace=self._args.namespace,
            labels=self._args.names.labels("watch") | dict(found_by),
            annotations=self._args.names.annotations(),
        )


def _reporting(args: SiteWatchArgs) -> Iterator[tuple[str, str, str]]:
    """The parts whose pods report, with the name and the scheme of the port where they do."""
    yield SERVING, "https", "https"
    if args.cache:
        yield CACHE, "http", "http"
    if args.tunnels:
        yield GATEWAY, "metrics", "http"


def monitor(pods: dict[str, str], port: str, scheme: str) -> dict[str, Any]:
    """The spec of a PodMonitor for pods with these labels, in whatever namespace (Prometheus Operator, "API"). Pure."""
    # Pods are asked by address, and a certificate has the service's name.
    tls = {"tlsConfig": {"insecureSkipVerify": True}} if scheme == "https" else {}
    return {
        "selector": {"matchLabels": pods},
        "namespaceSelector": {"any": True},
        "podMetricsEndpoints": [{"port": port, "scheme": scheme, "interval": "15s", **tls}],
    }
