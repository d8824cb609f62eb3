"""Small schemas for tests: what a provider could declare, without a provider."""

from typing import Any

from scripts.localcloud.aws.bridge.schema import Attribute, Block, NestedBlock, Nesting


def attribute(name: str, cty_type: Any = "string", kind: str = "optional", **flags: bool) -> Attribute:
    """`kind`: required, optional, computed, or both ("optional computed")."""
    return Attribute(name=name, type=cty_type, **{flag: True for flag in kind.split()}, **flags)


def nested(name: str, *elements: Attribute | NestedBlock, nesting: Nesting = "list", max_items: int = 0) -> NestedBlock:
    return NestedBlock(name=name, nesting=nesting, block=level(*elements), max_items=max_items)


def level(*elements: Attribute | NestedBlock) -> Block:
    return Block(
        attributes={e.name: e for e in elements if isinstance(e, Attribute)},
        blocks={e.name: e for e in elements if isinstance(e, NestedBlock)},
    )
