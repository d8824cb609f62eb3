"""The agent's log: lines of the same form as the server's."""

import logging
import sys

from model_image.server.logs import JsonFormatter

log = logging.getLogger("instance")


def set_up() -> None:
    """Send this agent's lines, and warnings of libraries, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)
