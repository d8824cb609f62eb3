"""Network interfaces that moto makes and never takes away."""

from collections.abc import Callable, Iterable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap


def end_interfaces_with_their_owner() -> None:
    # Those of instances and NAT gateways stay for ever: a destroy leaves them in the account.
    from moto.ec2.models.instances import Instance
    from moto.ec2.models.nat_gateways import NatGatewayBackend

    def terminating(original: Callable[..., Any]) -> Callable[..., Any]:
        def terminate(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            _forget(self.ec2_backend, [nic.id for index, nic in self.nics.items() if index == 0])
            return result

        return terminate

    def leaving(original: Callable[..., Any]) -> Callable[..., Any]:
        def delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
            gateway = original(self, nat_gateway_id)
            _forget(self, [gateway._eni.id])
            return gateway

        return delete_nat_gateway

    wrap(Instance, "terminate", terminating)
    wrap(NatGatewayBackend, "delete_nat_gateway", leaving)


def _forget(backend: Any, interfaces: Iterable[str]) -> None:
    for interface in interfaces:
        backend.enis.pop(interface, None)
