"""An instance's user data: which files it writes, and which image it runs with which environment. Pure."""

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

IMAGE_FILE, ENVIRONMENT_FILE = "/etc/serving/image", "/etc/serving/server.env"
AGENT_FILE = "/etc/serving/instance.env"  # environment of the agent; older user data has none, and runs without
BY_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")


class UserDataError(ValueError):
    """The user data cannot be executed; the message names the part, its value and the rule."""


@dataclass(frozen=True, kw_only=True)
class File:
    path: str
    mode: int
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Boot:
    """What the machine does at its first start; ``image`` is a reference by digest.

    ``agent`` is the environment of the image's agent, None where the user data knows of none.
    """

    files: tuple[File, ...]
    image: str
    environment: dict[str, str]
    agent: dict[str, str] | None = None


def parse(text: str) -> Boot:
    """Read ``#cloud-config`` user data. Raises UserDataError when it is not one, or names no image by digest."""
    if not text.startswith("#cloud-config"):
        raise UserDataError(f"user data starts with {text[:20]!r}; only #cloud-config is executed")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserDataError(f"user data is not YAML: {error}") from None
    entries = document.get("write_files", []) if isinstance(document, dict) else []
    files = tuple(_file(entry) for entry in entries)
    read = (IMAGE_FILE, ENVIRONMENT_FILE, AGENT_FILE)
    content = {file.path: file.content.decode() for file in files if file.path in read}
    image = content.get(IMAGE_FILE, "").strip()
    if not BY_DIGEST.fullmatch(image):
        raise UserDataError(f"{IMAGE_FILE} holds {image!r}; it must name an image by digest: <repository>@sha256:<hex>")
    return Boot(
        files=files,
        image=image,
        environment=environment(content.get(ENVIRONMENT_FILE, "")),
        agent=environment(content[AGENT_FILE], AGENT_FILE) if AGENT_FILE in content else None,
    )


def environment(text: str, name: str = ENVIRONMENT_FILE) -> dict[str, str]:
    """An environment file as container engines read it: KEY=VALUE lines, values taken literally, # comments."""
    values = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, sign, value = line.partition("=")
        if not sign or not key.strip():
            raise UserDataError(f"{name}: line {line!r} is not KEY=VALUE")
        values[key.strip()] = value
    return values


def _file(entry: Any) -> File:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise UserDataError(f"write_files: {entry!r} has no path")
    path = PurePosixPath(entry["path"])
    if not path.is_absolute() or ".." in path.parts:
        raise UserDataError(f"write_files: path {entry['path']!r} must be absolute and without '..'")
    content, encoding = str(entry.get("content", "")), entry.get("encoding", "text/plain")
    if encoding in ("b64", "base64"):
        try:
            data = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise UserDataError(f"write_files: {path}: content is not base64: {error}") from None
    elif encoding == "text/plain":
        data = content.encode()
    else:
        raise UserDataError(f"write_files: {path}: encoding {encoding!r} is not executed; use text/plain or b64")
    return File(path=str(path), mode=int(str(entry.get("permissions", "0644")), 8), content=data)
