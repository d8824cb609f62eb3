"""A language host for Python programs, for engines that come without one (the official CLI has its own).

The Pulumi engine starts ``pulumi-language-python``, reads the port it listens on from the first line of its output
and asks it to run the program. Pulumi's Python SDK already holds all of that for inline programs; what is added here
is the way from a program's folder on disk to such an inline program, and the few calls only a plugin receives.
"""

import os
import runpy
import signal
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit


class LanguageHost(LanguageServer):
    """Runs the program folder named in the request."""

    def __init__(self) -> None:
        super().__init__(program=lambda: None)

    def Run(self, request: Any, context: Any) -> Any:
        folder = Path(request.info.program_directory)
        entry = folder / request.info.entry_point
        target = entry / "__main__.py" if entry.is_dir() else entry

        def program() -> None:
            os.chdir(folder)
            sys.path.insert(0, str(folder))
            runpy.run_path(str(target), run_name="__main__")

        self.program = program
        result = super().Run(request, context)
        if result.error:  # the SDK has told the engine already; a bail keeps it from being printed twice
            result = language_pb2.RunResponse(bail=True)
        return result

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="")

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Any:
        return iter(())

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def main() -> None:
    # The engine interrupts every plugin and waits 5 s for each that lingers.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    limits = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=limits)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
