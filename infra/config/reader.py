"""Reads a mapping of settings into typed values and remembers every problem instead of stopping at the first."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pulumi

from infra.names import PROJECT

T = TypeVar("T")
REQUIRED: Any = object()
# Stands in for a value that was refused, so that reading goes on; it never leaves the package (ConfigError does).
_REFUSED: Any = None


class ConfigError(pulumi.RunError):
    """Every problem of a stack's settings, one line each: field, value, rule, way out.

    A RunError: the engine then shows the message alone, without a traceback.
    """

    def __init__(self, stack: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{len(problems)} problem(s) in the settings of stack {stack}:\n{lines}")


class Reader:
    """One section of the settings. Each key is asked for once; `close` refuses the keys nobody asked for."""

    def __init__(
        self, values: Mapping[str, Any], *, path: str = f"{PROJECT}:", problems: list[str] | None = None
    ) -> None:
        self.problems: list[str] = [] if problems is None else problems
        self._values = dict(values)
        self._path = path
        self._asked: list[str] = []
        self._children: list[Reader] = []

    def field(self, key: str) -> str:
        """The key as the user has to write it."""
        return f"{self._path}{key}"

    def refuse(self, key: str, value: object, rule: str) -> None:
        """Remember that `value` of `key` breaks `rule` (which says the way out)."""
        self.problems.append(f"{self.field(key)} is {value!r}: {rule}")

    def text(
        self, key: str, *, example: str, default: str = REQUIRED, check: Callable[[str], object] | None = None
    ) -> str:
        """A text; `check` raises ValueError with the rule. An empty text is allowed only as the default."""

        def convert(value: Any) -> str:
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)  # YAML reads `cpu: 2` as a number
            if not isinstance(value, str) or (not value and default != ""):
                raise ValueError(f"a text is needed, for example {example}")
            if check is not None and value:
                check(value)
            return value

        return self._read(key, convert, default, example)

    def integer(self, key: str, *, low: int, high: int, default: int = REQUIRED) -> int:
        """A whole number between `low` and `high`, both allowed."""

        def convert(value: Any) -> int:
            rule = f"a whole number from {low} to {high} is needed"
            if isinstance(value, bool) or not isinstance(value, (int, str)):
                raise ValueError(rule)
            try:
                number = int(value)
            except ValueError:
                raise ValueError(rule) from None
            if not low <= number <= high:
                raise ValueError(rule)
            return number

        return self._read(key, convert, default, str(low))

    def flag(self, key: str, *, default: bool = REQUIRED) -> bool:
        """true or false."""

        def convert(value: Any) -> bool:
            if value in (True, "true"):
                return True
            if value in (False, "false"):
                return False
            raise ValueError("true or false is needed")

        return self._read(key, convert, default, "true")

    def choice(self, key: str, options: tuple[str, ...], *, default: str = REQUIRED) -> str:
        """One of `options`."""

        def convert(value: Any) -> str:
            if str(value) not in options:
                raise ValueError(f"one of {', '.join(options)} is needed")
            return str(value)

        return self._read(key, convert, default, options[0])

    def texts(
        self,
        key: str,
        *,
        example: str,
        default: tuple[str, ...] = REQUIRED,
        check: Callable[[str], object] | None = None,
        may_be_empty: bool = False,
    ) -> tuple[str, ...]:
        """A list of texts; empty only when that is the default, or allowed."""

        def convert(value: Any) -> tuple[str, ...]:
            if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
                raise ValueError(f"a list of texts is needed, for example {example}")
            if not value and default != () and not may_be_empty:
                raise ValueError(f"at least one entry is needed, for example {example}")
            if len(set(value)) != len(value):
                raise ValueError("each entry may stand only once")
            for item in value:
                if check is not None:
                    check(item)
            return tuple(value)

        return self._read(key, convert, default, example)

    def section(self, key: str) -> "Reader":
        """The keys below `key`; an absent section reads as an empty one, so its own defaults decide."""

        def convert(value: Any) -> Mapping[str, Any]:
            if not isinstance(value, Mapping):
                raise ValueError("a section of keys is needed")
            return value

        child = Reader(self._read(key, convert, {}, "") or {}, path=f"{self.field(key)}.", problems=self.problems)
        self._children.append(child)
        return child

    def sections(self, key: str) -> list["Reader"]:
        """A list of sections; an absent list reads as an empty one."""

        def convert(value: Any) -> list[Any]:
            if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
                raise ValueError("a list of sections is needed")
            return value

        children = [
            Reader(values, path=f"{self.field(key)}[{index}].", problems=self.problems)
            for index, values in enumerate(self._read(key, convert, [], "") or [])
        ]
        self._children += children
        return children

    def has(self, key: str) -> bool:
        """Whether the key stands in the settings at all."""
        return key in self._values

    def close(self) -> None:
        """Refuse the keys that nobody asked for, here and in every section below."""
        for key, value in self._values.items():
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.refuse(key, value, f"this key is unknown here; remove it, or use one of: {known}")
        for child in self._children:
            child.close()

    def _read(self, key: str, convert: Callable[[Any], T], default: Any, example: str) -> T:
        self._asked.append(key)
        if key not in self._values:
            if default is REQUIRED:
                self.problems.append(f"{self.field(key)} is missing: set it, for example to {example}")
                return _REFUSED
            return default
        value = decode(self._values[key])
        try:
            return convert(value)
        except ValueError as error:
            self.refuse(key, value, str(error))
            return _REFUSED


def decode(value: Any) -> Any:
    """Pulumi hands lists and sections over as JSON text; everything else stays what it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
