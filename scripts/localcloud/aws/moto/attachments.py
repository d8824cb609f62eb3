"""Transit gateway attachments: their tags, and their end."""

from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap


def tag_transit_gateway_attachments() -> None:
    # Tags of a VPC attachment are looked for under the wrong resource type and then not shown: an update on every up.
    from moto.ec2.models.transit_gateway_attachments import TransitGatewayAttachment
    from moto.ec2.responses.transit_gateway_attachments import TransitGatewayAttachment as Response

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_transit_gateway_vpc_attachment(self: Any) -> Any:
            result = original(self)
            given = self._parse_tag_specification().get("transit-gateway-attachment", {})
            result.result["TransitGatewayVpcAttachment"].add_tags(given)
            return result

        return create_transit_gateway_vpc_attachment

    wrap(Response, "create_transit_gateway_vpc_attachment", make)
    TransitGatewayAttachment.tags = property(lambda self: self.get_tags())  # type: ignore[attr-defined]


def remember_deleted_attachments() -> None:
    # A deleted VPC attachment vanishes at once; the provider waits 152 s for "deleted" and the destroy fails.
    from moto.ec2.models.transit_gateway_attachments import TransitGatewayAttachmentBackend

    def delete(original: Callable[..., Any]) -> Callable[..., Any]:
        def delete_transit_gateway_vpc_attachment(self: Any, transit_gateway_attachment_id: str) -> Any:
            gone = original(self, transit_gateway_attachment_id)
            self.__dict__.setdefault("deleted_attachments", {})[gone.id] = gone
            return gone

        return delete_transit_gateway_vpc_attachment

    def describe(original: Callable[..., Any]) -> Callable[..., Any]:
        def describe_transit_gateway_vpc_attachments(
            self: Any, transit_gateways_attachment_ids: list[str] | None = None, filters: Any = None
        ) -> list[Any]:
            found: list[Any] = original(self, transit_gateways_attachment_ids, filters)
            deleted = self.__dict__.get("deleted_attachments", {})
            return found + [deleted[i] for i in transit_gateways_attachment_ids or [] if i in deleted]

        return describe_transit_gateway_vpc_attachments

    wrap(TransitGatewayAttachmentBackend, "delete_transit_gateway_vpc_attachment", delete)
    wrap(TransitGatewayAttachmentBackend, "describe_transit_gateway_vpc_attachments", describe)
