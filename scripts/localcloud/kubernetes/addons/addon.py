"""What an add-on is: images made of built programs, manifests as plain data, and what tells that it works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Image:
    """Built or unpacked programs as an image that holds nothing else; the first of them is what it runs.

    ``files`` maps paths inside the image to files on the machine, which it makes if they are missing. The folders they
    lie in carry the hash of all that decides their content in their names.
    """

    name: str
    files: Callable[[], Mapping[str, Path]]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """PEM texts of a server's certificate and key, and of the authority that signed it."""

    authority: bytes = b""
    certificate: bytes = b""
    key: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Addon:
    """``objects`` gets the references of ``images`` by name, and keys for ``hosts`` when there are any.

    ``definitions`` makes the folder with the manifests of its custom resources, which are applied first.
    It works when every one of ``deployments`` is available and every APIService of ``apis`` is answered.
    """

    name: str
    namespace: str
    images: tuple[Image, ...]
    objects: Callable[[Mapping[str, str], Keys], list[Object]]
    deployments: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    definitions: Callable[[], Path] | None = None
