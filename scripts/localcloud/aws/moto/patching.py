"""Replace a method of moto, or say that it is not there."""

from collections.abc import Callable
from typing import Any

from scripts.localcloud.console import UserError


def wrap(owner: type, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace `owner.name` by what `make` builds around it. Raises UserError when moto has no such method."""
    original = getattr(owner, name, None)
    if not callable(original):
        raise UserError(f"moto has no {owner.__module__}.{owner.__name__}.{name}, which the local cloud patches")
    setattr(owner, name, make(original))
