"""The shape of one Terraform type (resource, data source or provider), read from the protocol's schema."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Nesting = Literal["single", "list", "set"]
_NESTING: dict[int, Nesting] = {1: "single", 2: "list", 3: "set"}

CtyType = Any
"""A cty type as JSON gives it: "string", ["list", T], ["set", T], ["map", T] or ["object", {name: T}]."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    name: str
    type: CtyType
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False

    @property
    def settable(self) -> bool:
        return self.required or self.optional


@dataclass(frozen=True, kw_only=True)
class NestedBlock:
    name: str
    nesting: Nesting
    block: "Block"
    max_items: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """One level of a schema. Compared by identity, so that derived tables can be cached per block."""

    attributes: dict[str, Attribute]
    blocks: dict[str, NestedBlock]

    def __iter__(self) -> Iterator[Attribute | NestedBlock]:
        yield from self.attributes.values()
        yield from self.blocks.values()

    def __contains__(self, name: str) -> bool:
        return name in self.attributes or name in self.blocks


@dataclass(frozen=True, kw_only=True)
class TypeSchema:
    type: str
    version: int
    block: Block


def read_schema(type_name: str, message: Any) -> TypeSchema:
    """The schema of `type_name` from its protocol message."""
    return TypeSchema(type=type_name, version=message.version, block=_block(message.block))


def _block(message: Any) -> Block:
    return Block(
        attributes={
            a.name: Attribute(
                name=a.name,
                type=json.loads(a.type),
                required=a.required,
                optional=a.optional,
                computed=a.computed,
                sensitive=a.sensitive,
            )
            for a in message.attributes
        },
        blocks={
            b.type_name: NestedBlock(
                name=b.type_name, nesting=_NESTING[b.nesting], block=_block(b.block), max_items=b.max_items
            )
            for b in message.block_types
        },
    )
