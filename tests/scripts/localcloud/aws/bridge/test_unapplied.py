"""What pulumi-aws 7 can say and terraform-provider-aws 5.100 cannot: known by name, refused, and unused or switchable.

An upgrade of either side shows here: the table is neither longer nor shorter than the difference.
"""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.localcloud.aws.bridge.diff import Path, path_text
from scripts.localcloud.aws.bridge.names import by_pulumi, terraform_type
from scripts.localcloud.aws.bridge.refusals import unknown_properties
from scripts.localcloud.aws.bridge.schema import Attribute, Block, TypeSchema
from scripts.localcloud.aws.bridge.terraform import Terraform
from tests.infra.engine import Declared
from tests.infra.sites import aws_site, dns_split
from tests.scripts.localcloud.aws.bridge.test_names import getters, used_types
from tests.scripts.localcloud.aws.bridge.unapplied import SWITCHABLE, UNAPPLIED

# Said by every type of the SDK, and taken when it is the provider's own (`refusals.other_region`).
EVERYWHERE = "region"
# A firewall's statements hold statements, which each side spells out to a depth of its own: only the first is compared.
NESTING = {"andStatement", "notStatement", "orStatement", "scopeDownStatement"}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own, while its modules load


def inputs_of(cls: type) -> type:
    """The class of a resource's inputs; where that name was taken by an older one, the SDK calls it Init."""
    module: Any = importlib.import_module(cls.__module__)
    found: type = getattr(module, f"{cls.__name__}InitArgs", None) or getattr(module, f"{cls.__name__}Args")
    return found


def beyond(cls: type, block: Block, types: tuple[str, ...], at: tuple[str, ...] = ()) -> Iterator[str]:
    """Paths of the inputs in `cls` that the provider's schema does not let anyone set."""
    known = by_pulumi(block, types)
    for name, annotation in getters(cls):
        found = known.get(name)
        if found is None or (isinstance(found.element, Attribute) and not found.element.settable):
            yield ".".join((*at, name))
        elif not isinstance(found.element, Attribute) and name not in NESTING:
            [inner] = set(re.findall(r"\w+Args\b", annotation))
            package = cls.__module__.split(".")[:2]
            nested = getattr(importlib.import_module(".".join([*package, "_inputs"])), inner)
            yield from beyond(nested, found.element.block, (*types, found.terraform), (*at, name))


@pytest.fixture(scope="session")
def schemas(terraform: Terraform) -> dict[str, TypeSchema]:
    """Pulumi's type to its schema, for every type that the components name."""
    known = terraform.schemas.resource_schemas
    return {cls.pulumi_type: terraform.resource(terraform_type(cls.pulumi_type, known)) for cls in used_types()}


def test_the_table_holds_exactly_what_the_sdk_says_and_the_provider_does_not_know(
    schemas: dict[str, TypeSchema],
) -> None:
    found = {}
    for cls in used_types():
        schema = schemas[cls.pulumi_type]
        paths = set(beyond(inputs_of(cls), schema.block, (schema.type,))) - {EVERYWHERE}
        if paths:
            found[schema.type] = paths

    assert found == {type_: set(paths) for type_, paths in UNAPPLIED.items()}


def test_every_line_of_the_table_is_refused_by_its_name(schemas: dict[str, TypeSchema]) -> None:
    by_type = {schema.type: schema for schema in schemas.values()}
    for type_, paths in UNAPPLIED.items():
        for path in paths:
            value = nested_value(path.split("."), by_type[type_].block, (type_,))
            [(where, reason)] = unknown_properties(value, by_type[type_].block, (type_,))
            assert without_indices(where) == path
            assert repr(path.rpartition(".")[2]) in reason
            assert type_ in reason


def test_of_the_production_example_exactly_what_can_be_switched_off_is_refused(
    schemas: dict[str, TypeSchema],
) -> None:
    refused = {
        f"{schema.type}.{without_indices(path)}"
        for resource in [*aws_site().custom(), *dns_split().custom()]
        if (schema := schemas.get(resource.type))
        for path, _ in unknown_properties(said(resource), schema.block, (schema.type,))
    }

    assert refused == set(SWITCHABLE)


def said(resource: Declared) -> dict[str, Any]:
    return {name: value for name, value in resource.inputs.items() if name != EVERYWHERE}


def without_indices(path: Path) -> str:
    return path_text(tuple(step for step in path if isinstance(step, str)))


def nested_value(path: list[str], block: Block, types: tuple[str, ...]) -> dict[str, Any]:
    """Inputs that set just the property at `path`."""
    head, *rest = path
    if not rest:
        return {head: "x"}
    found = by_pulumi(block, types)[head]
    assert not isinstance(found.element, Attribute)
    inner = nested_value(rest, found.element.block, (*types, found.terraform))
    return {head: inner if found.flat else [inner]}
