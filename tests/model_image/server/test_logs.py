"""What a line of the log tells of an exception."""

import json
import logging
import sys

import pytest

from model_image.registry_errors import RegistryError
from model_image.server.logs import JsonFormatter


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RegistryError("model: 'A', expected at most 63"), "model: 'A', expected at most 63"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (ValueError("what a user wrote"), None),
    ],
)
def test_a_failed_poll_tells_its_reason_unless_a_user_may_have_written_it(error: Exception, reason: str | None) -> None:
    try:
        raise error
    except Exception:
        record = logging.LogRecord("serving", logging.ERROR, __file__, 1, "poll failed", None, sys.exc_info())
    line = json.loads(JsonFormatter().format(record))
    assert (line["event"], line["exception"], line.get("reason")) == ("poll failed", type(error).__name__, reason)
    assert "user" not in json.dumps({**line, "at": None})
