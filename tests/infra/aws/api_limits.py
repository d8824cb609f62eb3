"""What AWS's own service model refuses of a request, by the limits and patterns that the SDK brings along."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import Shape


def refusals(service: str, operation: str, request: dict[str, Any]) -> list[str]:
    """Every value that breaks the operation's model, as `path: why`. What the SDK fills in by itself may be missing."""
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    assert model.input_shape is not None
    return list(_look(operation, model.input_shape, request))


def _look(path: str, shape: Shape, value: Any) -> Iterator[str]:
    metadata = shape.metadata
    if shape.type_name == "structure":
        yield from (f"{path}.{key}: unknown" for key in value.keys() - shape.members.keys())
        needed = {key for key in shape.required_members if not shape.members[key].metadata.get("idempotencyToken")}
        yield from (f"{path}.{key}: missing" for key in needed - value.keys())
        for key in value.keys() & shape.members.keys():
            yield from _look(f"{path}.{key}", shape.members[key], value[key])
    elif shape.type_name == "list":
        yield from _size(path, metadata, len(value))
        for index, item in enumerate(value):
            yield from _look(f"{path}[{index}]", shape.member, item)
    elif shape.type_name == "map":
        yield from _size(path, metadata, len(value))
        for key, item in value.items():
            yield from _look(f"{path} key {key}", shape.key, key)
            yield from _look(f"{path}.{key}", shape.value, item)
    elif shape.type_name == "string":
        yield from _size(path, metadata, len(value))
        if not re.search(metadata.get("pattern", ""), value):
            yield f"{path}: {value!r} does not match {metadata['pattern']}"
        if value not in metadata.get("enum", [value]):
            yield f"{path}: {value!r} is none of {metadata['enum']}"
    else:
        expected = {"boolean": bool, "integer": int}[shape.type_name]
        if type(value) is not expected:
            yield f"{path}: {value!r} is no {shape.type_name}"
        elif expected is int:
            yield from _size(path, metadata, value)


def _size(path: str, metadata: dict[str, Any], size: int) -> Iterator[str]:
    if not metadata.get("min", size) <= size <= metadata.get("max", size):
        yield f"{path}: {size} is not within {metadata.get('min')} to {metadata.get('max')}"
