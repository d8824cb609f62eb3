"""The verb ``env``: shell variables with which a user's own commands reach the local cloud."""

import argparse
import shlex

DESCRIPTION = """\
Print shell exports for the running local cloud; use it as: eval "$(scripts/env)". Afterwards, in that shell:
  pulumi preview -s local-aws          the stacks, with the engine's state of this checkout
  kubectl get pods -n serving          the site's cluster
  .venv/bin/python, then boto3         the local AWS, with made-up keys: no real account can be reached; a CLI
                                       of AWS that you have reads the same variables
  customer dig search.shop.test        any command in the customer's network
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/env", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    from scripts.localcloud.cloud import LocalCloud
    from scripts.localcloud.engine.environment import variables

    cloud = LocalCloud.find()
    for name, value in variables(cloud).items():
        print(f"export {name}={shlex.quote(value)}")
    folder = shlex.quote(str(cloud.run / "bin"))
    # Evaluated twice, the folder still stands on PATH once.
    print(f'case ":$PATH:" in *:{folder}:*) ;; *) export PATH={folder}:"$PATH" ;; esac')
    return 0
