"""Values on both sides: Pulumi properties to Terraform objects by schema, and Terraform objects to msgpack.

A Terraform object holds every attribute of its level (None when absent); absent list and set blocks are [], an absent
single block is None. Sets are lists here; `diff` and `plan` compare them without order.
"""

from typing import Any

import msgpack

from scripts.localcloud.aws.bridge.names import Property, object_property, properties
from scripts.localcloud.aws.bridge.schema import Attribute, Block, CtyType, NestedBlock
from scripts.localcloud.aws.bridge.struct import UNKNOWN, Unknown

TIMEOUTS = "timeouts"  # Pulumi carries timeouts in resource options, never in properties


def to_terraform(values: dict[str, Any], block: Block, path: tuple[str, ...]) -> dict[str, Any]:
    """The Terraform object of Pulumi properties. Properties unknown to the schema are not looked at here."""
    return {
        p.terraform: _attribute_to_terraform(values.get(p.pulumi), p.element.type)
        if isinstance(p.element, Attribute)
        else _block_to_terraform(values.get(p.pulumi), p, p.element, (*path, p.terraform))
        for p in properties(block, path)
    }


def to_pulumi(values: dict[str, Any], block: Block, path: tuple[str, ...]) -> dict[str, Any]:
    """The Pulumi properties of a Terraform object, without its nulls."""
    result: dict[str, Any] = {}
    for p in properties(block, path):
        value = values.get(p.terraform)
        if value is None or p.terraform == TIMEOUTS:
            continue
        if isinstance(value, Unknown):
            result[p.pulumi] = UNKNOWN
        elif isinstance(p.element, Attribute):
            result[p.pulumi] = _attribute_to_pulumi(value, p.element.type)
        else:
            items = value if isinstance(value, list) else [value]
            below = (*path, p.terraform)
            shown = [v if isinstance(v, Unknown) else to_pulumi(v, p.element.block, below) for v in items]
            if not p.flat:
                result[p.pulumi] = shown
            elif shown:
                result[p.pulumi] = shown[0]
    return result


def settable_only(values: dict[str, Any], block: Block) -> dict[str, Any]:
    """A state as a configuration: what only the provider may set becomes null, at every level."""
    result = {}
    for element in block:
        value = values.get(element.name)
        if isinstance(element, Attribute):
            result[element.name] = value if element.settable else None
        elif isinstance(value, list):
            result[element.name] = [settable_only(v, element.block) if isinstance(v, dict) else v for v in value]
        else:
            result[element.name] = settable_only(value, element.block) if isinstance(value, dict) else value
    return result


def sensitive_properties(values: dict[str, Any], block: Block, path: tuple[str, ...]) -> frozenset[str]:
    """Top-level Pulumi properties of `values` in which a sensitive attribute has a value, at any depth."""
    found = properties(block, path)
    return frozenset(p.pulumi for p in found if _holds_secret(values.get(p.pulumi), p.element, (*path, p.terraform)))


def _holds_secret(value: Any, element: Attribute | NestedBlock, path: tuple[str, ...]) -> bool:
    if value is None or value == "":
        return False
    if isinstance(element, Attribute):
        return element.sensitive
    if isinstance(value, Unknown):
        return any(_holds_secret(UNKNOWN, inner, path) for inner in element.block)
    items = value if isinstance(value, list) else [value]
    return any(
        _holds_secret(UNKNOWN, element, path)
        if isinstance(item, Unknown)
        else bool(sensitive_properties(item, element.block, path))
        for item in items
    )


def encode(value: Any) -> bytes:
    """cty's msgpack: unknown is extension 0, and a fraction travels as text so that it keeps its decimal value."""
    return msgpack.packb(_wire(value))


def decode(raw: bytes, block: Block) -> dict[str, Any] | None:
    """The Terraform object in `raw`, None for null."""
    value = msgpack.unpackb(raw, ext_hook=lambda _code, _data: UNKNOWN, strict_map_key=False) if raw else None
    return None if value is None else _normalise(value, block)


def _wire(value: Any) -> Any:
    if isinstance(value, Unknown):
        return msgpack.ExtType(0, b"\0")
    if isinstance(value, float):
        return int(value) if value.is_integer() else repr(value)
    if isinstance(value, dict):
        return {k: _wire(v) for k, v in value.items()}
    return [_wire(v) for v in value] if isinstance(value, list) else value


def _normalise(value: dict[str, Any], block: Block) -> dict[str, Any]:
    """Numbers that came as text become numbers; block lists that an old provider left null become []."""
    result: dict[str, Any] = {}
    for element in block:
        item = value.get(element.name)
        if isinstance(element, Attribute):
            result[element.name] = _attribute_to_terraform(item, element.type)
        elif isinstance(item, Unknown) or element.nesting == "single":
            result[element.name] = _normalise(item, element.block) if isinstance(item, dict) else item
        else:
            items = item or []
            result[element.name] = [_normalise(v, element.block) if isinstance(v, dict) else v for v in items]
    return result


def _attribute_to_terraform(value: Any, cty_type: CtyType) -> Any:
    if value is None or isinstance(value, Unknown):
        return value
    if cty_type == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if cty_type == "number":
        number = float(value)
        return int(value) if isinstance(value, int) else int(number) if number.is_integer() else number
    if cty_type == "bool":
        return value == "true" if isinstance(value, str) else bool(value)
    kind, inner = cty_type
    if kind in ("list", "set"):
        return [_attribute_to_terraform(v, inner) for v in value]
    if kind == "map":
        return {k: _attribute_to_terraform(v, inner) for k, v in value.items()}
    fields = {name: object_property(name, inner, t) for name, t in inner.items()}
    return {
        name: _attribute_to_terraform(value.get(shown, value.get(name)), inner[name]) for name, shown in fields.items()
    }


def _attribute_to_pulumi(value: Any, cty_type: CtyType) -> Any:
    if value is None or isinstance(value, Unknown) or isinstance(cty_type, str):
        return value
    kind, inner = cty_type
    if kind in ("list", "set"):
        return [_attribute_to_pulumi(v, inner) for v in value]
    if kind == "map":
        return {k: _attribute_to_pulumi(v, inner) for k, v in value.items()}
    return {object_property(k, inner, inner[k]): _attribute_to_pulumi(v, inner[k]) for k, v in value.items()}


def _block_to_terraform(value: Any, prop: Property, nested: NestedBlock, path: tuple[str, ...]) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN

    def one(item: Any) -> Any:
        return item if isinstance(item, Unknown) else to_terraform(item, nested.block, path)

    if nested.nesting == "single":
        return None if value is None else one(value)
    if value is None:
        return []
    return [one(value)] if prop.flat else [one(item) for item in value]
