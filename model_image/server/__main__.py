"""`python -m model_image.server`: configured by SERVING_* words alone, stopped by SIGTERM."""

import argparse
import os
import resource
import ssl
import sys
from functools import partial
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
  SERVING_DATA (/var/lib/serving): optional, as all below
how it computes
  SERVING_BACKEND (auto|cpu|cuda|dummy; auto: a GPU where there is one), SERVING_THREADS (the CPUs it may use: batches
  at the same time), SERVING_BATCH_TOKENS (0: the backend's own), SERVING_CACHE_MB (64, tokens of texts seen),
  SERVING_RERANK_CANDIDATES (100, of a search), SERVING_MEMORY_MB (0: 80 % of what there is, for all releases),
  SERVING_MAX_SLOWDOWN (3, times the release in service; a slower one is refused)
how long it takes at most
  SERVING_MAX_WAIT_SECONDS (0.5, predicted; beyond it 429), SERVING_TIMEOUT_SECONDS (10; beyond it 504)
who may ask
  SERVING_TLS_CERT and SERVING_TLS_KEY (files; both for HTTPS; looked at every minute), SERVING_TLS_CLIENT_CA (file;
  only clients with its certificates), SERVING_API_KEYS (file; a line is `name sha256-of-the-key-in-hex`),
  SERVING_CONNECTIONS (1024, at once; up to 0.3 MB each)
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
        # Before torch and faiss are imported: each worker computes with one thread, and there is one per CPU.
        for word in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(word, "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if config.threads > 1 else "false")
        os.environ.setdefault("RAYON_NUM_THREADS", str(config.threads))  # the tokenizers'; else all of the node's
        return _serve(config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2


def _serve(config: Config) -> int:
    from model_image.server import logs
    from model_image.server.app import build_app
    from model_image.server.lifecycle import DrainingServer, Lifecycle
    from model_image.server.web.tls import CHECK_SECONDS, Certificate

    logs.set_up()
    _allow_connections()
    lifecycle = Lifecycle()
    app = build_app(config, lifecycle)
    settings = web_settings(config, app)
    try:
        settings.load()  # makes the context of HTTPS
    except OSError as error:  # ssl.SSLError is one, and names no file
        files = f"{config.tls_cert}, {config.tls_key}, {config.tls_client_ca}"
        raise ConfigError("SERVING_TLS_*", files, f"cannot be used: {error}") from error
    if settings.ssl and config.tls_cert and config.tls_key:
        pair = (config.tls_cert, config.tls_key)
        Certificate(settings.ssl, *pair, app.state.metrics, config.tls_client_ca).start(CHECK_SECONDS)
    DrainingServer(settings, lifecycle, drain_seconds=config.drain_seconds).run()
    logs.log.info("stopped")
    return 0


def _allow_connections() -> None:
    """Each takes an open file, and many systems start a process with 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def web_settings(config: Config, app: Any) -> "uvicorn.Config":
    """How the web server serves `app`, an ASGI application with `state.metrics`."""
    import uvicorn

    from model_image.server.web.protocol import BoundedProtocol

    http = partial(BoundedProtocol, connections=config.connections, metrics=app.state.metrics)
    return uvicorn.Config(
        app,
        loop="model_image.server.web.listening:Loop",
        http=http,  # type: ignore[arg-type]  # it is only called
        proxy_headers=False,  # fairness goes by address: what a header says anybody may write
        ws="none",
        host="0.0.0.0",
        port=config.port,
        ssl_certfile=config.tls_cert,
        ssl_keyfile=config.tls_key,
        ssl_ca_certs=None if config.tls_client_ca is None else str(config.tls_client_ca),
        ssl_cert_reqs=ssl.CERT_NONE if config.tls_client_ca is None else ssl.CERT_REQUIRED,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=30,
    )


if __name__ == "__main__":
    sys.exit(main())
