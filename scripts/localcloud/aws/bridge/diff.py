"""What a plan changes, as property paths of the Pulumi program."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from scripts.localcloud.aws.bridge.names import Property, properties
from scripts.localcloud.aws.bridge.plan import is_set, same
from scripts.localcloud.aws.bridge.schema import Attribute, Block, NestedBlock
from scripts.localcloud.aws.bridge.struct import Unknown

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One changed property. `noise` is what follows from another change, and is shown only when it stands alone."""

    pulumi: Path
    terraform: Path
    old: Any
    new: Any
    noise: bool = False

    @property
    def adds(self) -> bool:
        return self.old in (None, [])

    @property
    def deletes(self) -> bool:
        return self.new in (None, [])

    def replaces(self, required: Iterable[Path]) -> bool:
        """Whether a path that the provider says needs a replacement lies on, above or below this change."""
        return any(all(a == b for a, b in zip(self.terraform, path, strict=False)) for path in required)


def changes(block: Block, prior: dict[str, Any], planned: dict[str, Any], type_name: str) -> list[Change]:
    """All differences between the state and the plan, noise included."""
    return list(_object(block, prior, planned, (type_name,), (), ()))


def visible(found: list[Change]) -> list[Change]:
    """The changes worth showing."""
    return [c for c in found if not c.noise] or found


def path_text(path: Path) -> str:
    """A property path as Pulumi writes it: `rules[0].ports`, `tags["a.b"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").isalnum():
            text += f".{step}" if text else step
        else:
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def _object(
    block: Block, prior: dict[str, Any], planned: dict[str, Any], types: tuple[str, ...], pulumi: Path, terraform: Path
) -> Iterator[Change]:
    for p in properties(block, types):
        if p.terraform == "timeouts":
            continue
        old, new = prior.get(p.terraform), planned.get(p.terraform)
        here = (*pulumi, p.pulumi), (*terraform, p.terraform)
        if isinstance(p.element, Attribute):
            yield from _attribute(p.element, old, new, *here)
        else:
            yield from _blocks(p, p.element, old, new, (*types, p.terraform), *here)


def _attribute(attribute: Attribute, old: Any, new: Any, pulumi: Path, terraform: Path) -> Iterator[Change]:
    if same(old, new, is_set=is_set(attribute)):
        return
    unknown = isinstance(new, Unknown)
    follows = not attribute.settable or (attribute.computed and unknown) or attribute.name == "tags_all"
    # Older types of the provider plan an empty value where the state has none; it means the same to them.
    noise = follows or (old is None and new in ("", [], {}))
    is_map = isinstance(attribute.type, list) and attribute.type[0] == "map"
    if is_map and isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if not same(old.get(key), new.get(key)):
                yield Change(
                    pulumi=(*pulumi, key), terraform=terraform, old=old.get(key), new=new.get(key), noise=noise
                )
        return
    yield Change(pulumi=pulumi, terraform=terraform, old=old, new=new, noise=noise)


def _blocks(
    prop: Property, nested: NestedBlock, old: Any, new: Any, types: tuple[str, ...], pulumi: Path, terraform: Path
) -> Iterator[Change]:
    if isinstance(new, Unknown):
        yield Change(pulumi=pulumi, terraform=terraform, old=old, new=new, noise=True)
        return
    before = old if isinstance(old, list) else [] if old is None else [old]
    after = new if isinstance(new, list) else [] if new is None else [new]
    if nested.nesting == "set" and not prop.flat:
        # A set has no index that both sides agree on: the whole property is named.
        if not _same_blocks(nested, before, after, types):
            yield Change(pulumi=pulumi, terraform=terraform, old=before, new=after)
        return
    if len(before) != len(after):
        yield Change(pulumi=pulumi, terraform=terraform, old=before, new=after)
        return
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        shown = pulumi if prop.flat else (*pulumi, index)
        inside = terraform if nested.nesting == "single" else (*terraform, index)
        if isinstance(other, Unknown):
            yield Change(pulumi=shown, terraform=inside, old=one, new=other)
        elif nested.nesting == "set":
            yield from _object(nested.block, one, other, types, shown, terraform)
        else:
            yield from _object(nested.block, one, other, types, shown, inside)


def _same_blocks(nested: NestedBlock, before: list[Any], after: list[Any], types: tuple[str, ...]) -> bool:
    rest = list(before)
    for item in after:
        if isinstance(item, Unknown):
            return False
        match = next((r for r in rest if not any(_object(nested.block, r, item, types, (), ()))), None)
        if match is None:
            return False
        rest.remove(match)
    return not rest
