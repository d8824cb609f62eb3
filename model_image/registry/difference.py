"""What differs between two releases, as lines of (what, first, second)."""

from typing import NamedTuple

from model_image import promotion
from model_image.registry.evaluations import Found
from model_image.registry.registry import Registry

_FIELDS = ("created", "base_model", "data_revision", "code_revision", "size")


class Line(NamedTuple):
    """One difference; "" where a side lacks it."""

    what: str
    first: str
    second: str


def difference(registry: Registry, model: str, first: str, second: str) -> list[Line]:
    """Provenance, files and main numbers in which two published releases differ."""
    one, two = registry.manifest(model, first), registry.manifest(model, second)
    lines = [Line(name, str(getattr(one, name)), str(getattr(two, name))) for name in _FIELDS]
    for path in sorted(one.files.keys() | two.files.keys()):
        if one.files.get(path) != two.files.get(path):
            lines.append(Line(f"file {path}", *(_entry(each.files.get(path)) for each in (one, two))))
    lines += _metrics(registry.find_evaluations(model, first), registry.find_evaluations(model, second))
    return [line for line in lines if line.first != line.second]


def _entry(entry: object) -> str:
    size, sha256 = getattr(entry, "size", None), getattr(entry, "sha256", "")
    return f"{size:,} bytes, {sha256[:12]}" if size is not None else ""


def _metrics(first: Found, second: Found) -> list[Line]:
    one, two = promotion.headline(first.evaluations), promotion.headline(second.evaluations)
    troubles = Line("cannot be read", ", ".join(first.unreadable), ", ".join(second.unreadable))
    told = [(name, *(f"{each[name]:.4g}" if name in each else "" for each in (one, two))) for name in one | two]
    return [troubles, *map(Line._make, told)]
