"""`python -m model_image.cache`: configured by CACHE_* words alone, stopped by SIGTERM."""

import argparse
import os
import sys

from model_image.cache.config import Config, read_config
from model_image.registry_errors import RegistryError
from model_image.words import ConfigError

_HELP = """\
Hold the releases that the registry's channel names, verified, and hand them on to the site's servers over HTTP, also
while the registry is out of reach. All settings come from the environment:
  CACHE_REGISTRY (s3://<bucket> or a folder): required
  CACHE_MODEL (search), CACHE_PORT (8080), CACHE_POLL_SECONDS (2), CACHE_ROLLBACKS (2: earlier releases held as well),
  CACHE_BYTES (21474836480, of all releases together), CACHE_DATA (/var/lib/cache): optional
S3 is reached with the AWS SDK's own variables.
"""


def main() -> int:
    """Exit code 0 after a signal, 2 for a bad configuration."""
    parser = argparse.ArgumentParser(
        prog="python -m model_image.cache", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    try:
        return _serve(read_config(os.environ))
    except (ConfigError, RegistryError) as error:
        print(error, file=sys.stderr)
        return 2


def _serve(config: Config) -> int:
    import uvicorn

    from model_image.cache.app import build_app
    from model_image.server import logs
    from model_image.server.lifecycle import DrainingServer, Lifecycle

    logs.set_up()
    app = build_app(config)
    app.state.mirror.start(config.poll_seconds)
    settings = uvicorn.Config(
        app,
        host="0.0.0.0",
        port=config.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )
    # Kubernetes takes the pod out of its Service before it sends the signal, so there is nothing to wait for.
    DrainingServer(settings, Lifecycle(), drain_seconds=0).run()
    logs.log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
