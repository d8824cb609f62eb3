"""The proposed new state of a resource: what Terraform's core hands to a provider before it plans.

A configured value wins; what the configuration leaves out and the provider computes keeps its prior value. List blocks
are followed by index, set blocks by finding the prior element that says the same.
"""

from typing import Any

from scripts.localcloud.aws.bridge.schema import Attribute, Block, NestedBlock
from scripts.localcloud.aws.bridge.struct import Unknown


def proposed_new(block: Block, prior: dict[str, Any] | None, config: dict[str, Any]) -> dict[str, Any]:
    """The proposed state of one level; `prior` is None for an object that does not exist yet."""
    known = prior or {}
    return {
        e.name: _attribute(e, known.get(e.name), config[e.name])
        if isinstance(e, Attribute)
        else _blocks(e, known.get(e.name), config[e.name])
        for e in block
    }


def same(one: Any, other: Any, *, is_set: bool = False) -> bool:
    """Equality of two attribute values; sets have no order. An unknown equals nothing."""
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return False
    if is_set and isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and sorted(map(_key, one)) == sorted(map(_key, other))
    return bool(one == other and type(one) is type(other)) or _numbers_equal(one, other)


def is_set(attribute: Attribute) -> bool:
    return isinstance(attribute.type, list) and attribute.type[0] == "set"


def _numbers_equal(one: Any, other: Any) -> bool:
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (one, other))
    return bool(numbers and one == other)


def _key(value: Any) -> str:
    """A text that two set elements share exactly when they are equal."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{_key(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(map(_key, value))) + "]"
    return repr(value)


def _attribute(attribute: Attribute, prior: Any, config: Any) -> Any:
    return prior if attribute.computed and config is None else config


def _blocks(nested: NestedBlock, prior: Any, config: Any) -> Any:
    if config is None or isinstance(config, Unknown):
        return config
    if nested.nesting == "single":
        return proposed_new(nested.block, prior if isinstance(prior, dict) else None, config)
    before = list(prior) if isinstance(prior, list) else []
    result: list[Any] = []
    for index, item in enumerate(config):
        if isinstance(item, Unknown):
            result.append(item)
            continue
        if nested.nesting == "list":
            match = before[index] if index < len(before) else None
        else:
            match = next((b for b in before if _says_the_same(nested.block, b, item)), None)
            before = [b for b in before if b is not match]
        result.append(proposed_new(nested.block, match if isinstance(match, dict) else None, item))
    return result


def _says_the_same(block: Block, prior: Any, config: Any) -> bool:
    """Whether a set element is `prior` as far as the configuration says anything about it."""
    if not isinstance(prior, dict) or not isinstance(config, dict):
        return False
    for element in block:
        old, new = prior.get(element.name), config[element.name]
        if isinstance(element, Attribute):
            if not (element.computed and new is None) and not same(old, new, is_set=is_set(element)):
                return False
        elif not _blocks_say_the_same(element, old, new):
            return False
    return True


def _blocks_say_the_same(nested: NestedBlock, prior: Any, config: Any) -> bool:
    if not isinstance(prior, list) or not isinstance(config, list):
        return (prior is None and config is None) or _says_the_same(nested.block, prior, config)
    if len(prior) != len(config):
        return False
    if nested.nesting == "list":
        return all(_says_the_same(nested.block, p, c) for p, c in zip(prior, config, strict=True))
    rest = list(prior)
    for item in config:
        match = next((p for p in rest if _says_the_same(nested.block, p, item)), None)
        if match is None:
            return False
        rest.remove(match)
    return True
