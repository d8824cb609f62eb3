"""The limits on requests, the types they are made of, and the way from bytes to a checked request.

Unknown fields of a request are ignored, as clients of the OpenAI, Cohere, Jina and text-embeddings-inference shapes
send many that do not matter here.
"""

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from model_image.server.errors import Kind, ServingError

MAX_BODY = 1 << 20
MAX_TEXTS = 128
MAX_DOCUMENTS = 1000
"""Of one rerank request."""

MAX_K = 100
MAX_HISTORY = 500
MAX_CANDIDATES = 1000
MAX_CHARACTERS = 100_000
MAX_AGE_DAYS = 36_500

_QUERY = Meta(min_length=1, max_length=MAX_CHARACTERS, pattern=r"\S", examples=["red running shoes"])
_COUNT = Meta(ge=1, le=MAX_K, description="how many to give, best first")
_ID = Meta(min_length=1, max_length=200, examples=["p0"], description="product_id of the catalogue")
_TASK = Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", examples=["department"])

Text = Annotated[str, Meta(max_length=MAX_CHARACTERS)]
Texts = Annotated[list[Text], Meta(min_length=1, max_length=MAX_TEXTS)]
Query = Annotated[str, _QUERY]
Count = Annotated[int, _COUNT]
ProductId = Annotated[str, _ID]
TaskName = Annotated[str, _TASK]

Request = TypeVar("Request", bound=Struct)

_QUOTED = re.compile(r"^Invalid enum value .*( - at `.*`)$", re.DOTALL)


def decode(body: bytes, kind: type[Request]) -> Request:
    """The request in `body`. Raises `ServingError` with the field and the rule, never with the user's text."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        told = _QUOTED.sub(r"Not one of the allowed values\1", str(error))
        raise ServingError(Kind.INVALID_REQUEST, told) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServingError(Kind.INVALID_JSON, f"the body is not valid JSON: {error}") from None
    except RecursionError:
        raise ServingError(Kind.INVALID_JSON, "the body is nested too deeply") from None
