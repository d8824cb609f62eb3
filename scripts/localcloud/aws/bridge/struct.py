"""Protobuf structs to plain Python and back, with Pulumi's marks for secrets and unknown values."""

from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that is known only after the change is applied. There is one: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> "Unknown":
        return self

    def __deepcopy__(self, _memo: object) -> "Unknown":
        return self


UNKNOWN = Unknown()


def from_struct(message: Struct) -> tuple[dict[str, Any], frozenset[str]]:
    """Plain values, and the top-level properties in which a secret was wrapped."""
    values, secrets = {}, set()
    for key, value in message.fields.items():
        values[key], secret = _plain(value)
        if secret:
            secrets.add(key)
    return values, frozenset(secrets)


def to_struct(values: dict[str, Any], secrets: frozenset[str] = frozenset()) -> Struct:
    """The message of `values`, with the top-level properties in `secrets` wrapped. None is left out."""
    result = Struct()
    for key, value in values.items():
        if value is not None:
            result.fields[key].CopyFrom(_message({_SIGNATURE: _SECRET, "value": value} if key in secrets else value))
    return result


def _plain(value: Value) -> tuple[Any, bool]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if _SIGNATURE in fields:
            if fields[_SIGNATURE].string_value != _SECRET:
                raise ValueError("an asset, archive or resource reference: the local cloud takes plain values only")
            return _plain(fields["value"])[0], True
        pairs = {k: _plain(v) for k, v in fields.items()}
        return {k: v for k, (v, _) in pairs.items()}, any(secret for _, secret in pairs.values())
    if kind == "list_value":
        items = [_plain(v) for v in value.list_value.values]
        return [v for v, _ in items], any(secret for _, secret in items)
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value, False
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN_TEXT else value.string_value, False
    return (value.bool_value if kind == "bool_value" else None), False


def _message(value: Any) -> Value:
    if value is None:
        return Value(null_value=0)
    if isinstance(value, Unknown):
        return Value(string_value=_UNKNOWN_TEXT)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, (int, float)):
        return Value(number_value=value)
    if isinstance(value, str):
        return Value(string_value=value)
    result = Value()
    if isinstance(value, dict):
        result.struct_value.SetInParent()
        for key, item in value.items():
            result.struct_value.fields[key].CopyFrom(_message(item))
        return result
    result.list_value.SetInParent()
    result.list_value.values.extend(_message(item) for item in value)
    return result
