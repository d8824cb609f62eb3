"""Run one terraform-provider-aws process and hand out a channel to it."""

import ctypes
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import grpc

from scripts.localcloud.aws.bridge.binary import Binary

_HANDSHAKE = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    "PLUGIN_PROTOCOL_VERSIONS": "5",
}
_CHANNEL_OPTIONS = [  # the schema is 4.9 MB, gRPC's default limit 4 MiB
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]
_PR_SET_PDEATHSIG = 1
NOWHERE = "http://127.0.0.1:9"
"""A loopback port on which nothing listens: where a service without an endpoint of its own ends up."""


class Plugin:
    """A running provider process. Create it in the main thread: the kernel kills it when its creating thread ends."""

    def __init__(self, binary: Binary, log: Path = Path(os.devnull)) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tfaws-")
        self._libc = ctypes.CDLL(None)  # loaded before the fork: nothing but the call itself happens in the child
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [binary.path],
                env=child_environment(os.environ, Path(self._folder.name)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                preexec_fn=self._die_with_parent,
            )
        self._channel: Future[grpc.Channel] = Future()
        Thread(target=self._connect, daemon=True).start()

    def channel(self) -> grpc.Channel:
        """The channel, once the process listens (0.3 to 3 s after its start)."""
        return self._channel.result(timeout=60)

    def stop(self) -> None:
        """Kill the process. It holds nothing worth a goodbye: state lives with the engine."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _die_with_parent(self) -> None:
        self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def _connect(self) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()  # 1|5|unix|<socket>|grpc|
        parts = line.split("|")
        if len(parts) < 5 or parts[1] != "5" or parts[2] != "unix":
            self._channel.set_exception(RuntimeError(f"terraform-provider-aws did not start; it said {line!r}"))
            return
        self._channel.set_result(grpc.insecure_channel(f"unix:{parts[3]}", options=_CHANNEL_OPTIONS))


def child_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The provider's environment: none of the user's AWS settings, and no way out of this machine."""
    kept = {k: v for k, v in environment.items() if not k.startswith(("AWS_", "TF_")) and "proxy" not in k.lower()}
    return (
        kept
        | _HANDSHAKE
        | {
            "TMPDIR": str(folder),  # where the plugin puts its socket
            "AWS_ENDPOINT_URL": NOWHERE,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
    )
