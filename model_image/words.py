"""Words of the environment that configure a process: read one by one, each problem told with its rule."""

from collections.abc import Mapping


class ConfigError(Exception):
    """A word of the environment is missing, unknown or has a bad value."""

    def __init__(self, word: str, value: str | None, rule: str) -> None:
        super().__init__(f"{word}: {'not set' if value is None else repr(value)}, {rule}")


def required(given: Mapping[str, str], word: str, rule: str) -> str:
    """The word's value. Raises `ConfigError` with `rule` where it is not set."""
    if word not in given:
        raise ConfigError(word, None, rule)
    return given[word]


def number(
    given: Mapping[str, str], word: str, default: float, low: float, high: float, *, whole: bool = False
) -> float:
    """The word's value, from `low` to `high`. Raises `ConfigError` for anything else."""
    text = given.get(word, str(default))
    rule = f"expected a {'whole ' if whole else ''}number from {low} to {high}"
    try:
        value = int(text) if whole else float(text)
    except ValueError as error:
        raise ConfigError(word, text, rule) from error
    if not low <= value <= high:
        raise ConfigError(word, text, rule)
    return value
