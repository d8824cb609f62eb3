"""`python -m model_image.server`: configured by SERVING_* words alone, stopped by SIGTERM."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from model_image.server.config import Config, read_config
from model_image.words import ConfigError

if TYPE_CHECKING:
    import uvicorn

# Above the idle time of a load balancer in front (75 s on AWS): one that closes first would take a connection for a
# request just when the server gives it up, and answer 502.
KEEP_ALIVE_SECONDS = 90

_HELP = """\
Serve the release that the registry's channel names. All settings come from the environment:
  SERVING_SITE (onprem|aws), SERVING_SLOT (stable|canary), SERVING_REGISTRY (s3://<bucket>, a folder,
  or http://<host>:<port> of a cache): required
  SERVING_MODEL (search), SERVING_IMAGE (), SERVING_PORT (8080), SERVING_POLL_SECONDS (5), SERVING_DRAIN_SECONDS (10),
  SERVING_DATA (/var/lib/serving), SERVING_BACKEND (torch|dummy), SERVING_THREADS (CPUs, at most 2),
  SERVING_TLS_CERT and SERVING_TLS_KEY (files; both for HTTPS; looked at every minute): optional
S3 is reached with the AWS SDK's own variables.
"""


def main() -> int:
    """Exit code 0 after a signal, 2 for a bad configuration."""
    parser = argparse.ArgumentParser(
        prog="python -m model_image.server", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    try:
        config = read_config(os.environ)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    # Before numpy and torch are imported: their libraries size their thread pools when they are loaded.
    for word in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(word, str(config.threads))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if config.threads > 1 else "false")
    return _serve(config)


def _serve(config: Config) -> int:
    from model_image.server import logs
    from model_image.server.app import build_app
    from model_image.server.lifecycle import DrainingServer, Lifecycle
    from model_image.server.tls import CHECK_SECONDS, Certificate

    logs.set_up()
    lifecycle = Lifecycle()
    app = build_app(config, lifecycle)
    settings = web_settings(config, app)
    settings.load()  # makes the context of HTTPS
    if settings.ssl and config.tls_cert and config.tls_key:
        Certificate(settings.ssl, config.tls_cert, config.tls_key, app.state.metrics).start(CHECK_SECONDS)
    DrainingServer(settings, lifecycle, drain_seconds=config.drain_seconds).run()
    logs.log.info("stopped")
    return 0


def web_settings(config: Config, app: Any) -> "uvicorn.Config":
    """How the web server serves `app` (ASGI)."""
    import uvicorn

    return uvicorn.Config(
        app,
        host="0.0.0.0",
        port=config.port,
        ssl_certfile=config.tls_cert,
        ssl_keyfile=config.tls_key,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=30,
    )


if __name__ == "__main__":
    sys.exit(main())
