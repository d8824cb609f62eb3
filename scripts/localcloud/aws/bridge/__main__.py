"""Entry point that the engine starts: start Terraform's provider, serve the Pulumi protocol, print the port."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from scripts.localcloud.aws.bridge.binary import find_binary, search_roots
from scripts.localcloud.console import UserError

LOG_VARIABLE = "HYBRID_SERVING_TF_LOG"
"""A file that the Terraform provider's own log is appended to; without it the log is dropped (it is a trace log)."""


def main() -> int:
    try:
        binary = find_binary(search_roots(os.environ))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    from scripts.localcloud.aws.bridge.plugin import Plugin

    # First of all, before the slower imports below: the provider needs 0.3 to 3 s to listen.
    plugin = Plugin(binary, Path(os.environ.get(LOG_VARIABLE) or os.devnull))

    def leave(*_: object) -> NoReturn:
        plugin.stop()
        os._exit(0)

    # The engine waits 5 s for a plugin that does not exit at once on its SIGINT.
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    threading.Thread(target=_leave_with_engine, args=(os.getppid(), leave), daemon=True).start()

    import grpc
    from pulumi.runtime.proto import provider_pb2_grpc

    from scripts.localcloud.aws.bridge.provider import Provider
    from scripts.localcloud.aws.bridge.terraform import Terraform

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybrid-serving"
    server = grpc.server(
        ThreadPoolExecutor(max_workers=64),  # a create may wait for minutes; the engine runs many at once
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(Terraform(plugin, binary, cache), leave), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
    return 0


def _leave_with_engine(parent: int, leave: Callable[[], NoReturn]) -> None:
    """Go when the engine is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(1)
    leave()


if __name__ == "__main__":
    sys.exit(main())
