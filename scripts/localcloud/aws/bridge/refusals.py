"""What the bridge does not take, each with the field, the value, the rule and the way out."""

import difflib
import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from scripts.localcloud.aws.bridge.diff import Path
from scripts.localcloud.aws.bridge.names import Property, by_pulumi
from scripts.localcloud.aws.bridge.schema import Attribute, Block
from scripts.localcloud.aws.bridge.struct import Unknown

Refusal = tuple[Path, str]
"""A property path and the reason."""


def unknown_properties(
    values: dict[str, Any], block: Block, types: tuple[str, ...], at: Path = ()
) -> Iterator[Refusal]:
    """Properties the Terraform schema does not have (or only the provider may set), at every depth of blocks."""
    known = by_pulumi(block, types)
    for name, value in values.items():
        if name.startswith("__") or value is None:
            continue
        found = known.get(name)
        if found is None or not _settable(found):
            close = difflib.get_close_matches(name, [k for k, p in known.items() if _settable(p)], n=3)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            yield (
                (*at, name),
                f"{types[0]} of terraform-provider-aws 5.100 has no settable property {name!r} (pulumi-aws 7 may have "
                f"it since provider 6): leave it out of what runs in the local cloud{hint}",
            )
        elif not isinstance(found.element, Attribute):
            items = value if isinstance(value, list) else [value]
            for index, item in enumerate(items):
                where = (*at, name) if found.flat else (*at, name, index)
                if isinstance(item, dict):
                    yield from unknown_properties(item, found.element.block, (*types, found.terraform), where)


def other_region(values: dict[str, Any], block: Block, region: str) -> Iterator[Refusal]:
    """A per-resource region (pulumi-aws 7) that differs from the provider's: provider 5 has one region."""
    value = values.get("region")
    own = block.attributes.get("region")
    if value is None or isinstance(value, Unknown) or (own and own.settable) or value == region:
        return
    yield (
        ("region",),
        f"region {value!r} is not the provider's {region!r}: the local cloud has one region per provider; "
        "declare an aws.Provider for that region and pass it in the resource's options",
    )


def endpoints_outside(endpoints: list[dict[str, Any]]) -> list[str]:
    """Refusals of endpoints that leave this machine; an empty list is refused too, for it means the real AWS."""
    given = [(service, url) for group in endpoints for service, url in group.items() if url]
    if not given:
        return ['aws:endpoints is empty: this provider serves the local cloud only; `eval "$(scripts/env)"` sets it']
    return [
        f"aws:endpoints.{service} = {url!r}: only loopback addresses are allowed, because this provider serves the "
        "local cloud and must never reach a real account; use the official pulumi-aws plugin for that"
        for service, url in given
        if not is_loopback(str(url))
    ]


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine, by address or as `localhost` (any other name could point anywhere)."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _settable(prop: Property) -> bool:
    return prop.element.settable if isinstance(prop.element, Attribute) else prop.terraform != "timeouts"
