"""One JSON object per line on stderr. No line holds what a user wrote: texts come only from this code, and an
exception is logged by its type and its place, because its message may quote a request. The messages of this code's own
exceptions do not, nor do those of the operating system: they are the `reason`."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

log = logging.getLogger("serving")


class JsonFormatter(logging.Formatter):
    """`log.info("event", extra={"fields": {...}})` becomes {"time", "level", "event", ...fields}."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, _ = record.exc_info
            line["exception"] = kind.__name__
            if isinstance(error, OSError) or kind.__module__.partition(".")[0] == "model_image":
                line["reason"] = str(error)
            frames = traceback.extract_tb(record.exc_info[2])
            line["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
        return json.dumps(line)


def set_up() -> None:
    """Send every logger of the process, also those of libraries from warnings up, through the formatter."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)
