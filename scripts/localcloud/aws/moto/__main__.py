"""Entry point: `python -m scripts.localcloud.aws.moto --port 5000 [--also 100.64.1.5:5000]`."""

import argparse
import signal

from scripts.localcloud.aws.moto.server import Address, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="moto", description="Serve the local cloud's AWS API on loopback.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--also", type=_address, action="append", default=[], help="one more host:port to serve on")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: exit(0))
    serve([("127.0.0.1", arguments.port), *arguments.also])
    signal.pause()


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: expected host:port")
    return host, int(port)


if __name__ == "__main__":
    main()
