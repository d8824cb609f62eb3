"""`python -m model_image.instance ready|watch|gone`: configured by INSTANCE_* words alone, stopped by SIGTERM."""

import argparse
import os
import sys

from model_image.instance import logs
from model_image.instance.agent import make_agent
from model_image.instance.clock import Stopped, SystemClock
from model_image.instance.config import ConfigError, read_config
from model_image.instance.gone import gone
from model_image.instance.ready import ready
from model_image.instance.watch import watch

_HELP = """\
Stand between the server of this EC2 instance and AWS. The host's units run one verb after the other:
  ready   wait until the server is ready, complete the launch hook, wait until the group has the instance in service,
          and publish how long each phase of the start took (metric StartSeconds)
  watch   until the group ends the instance: publish every 30 s what waits in the server (QueuedTexts, QueuedSeconds);
          on a spot notice publish SpotInterruptions and have the group replace this instance. A failure of CloudWatch
          is logged and stops nothing
  gone    complete the termination hook; to be run when the server has drained and ended
"""
_WORDS = """\
environment, all of it from /etc/serving/instance.env:
  INSTANCE_METRICS (CloudWatch namespace), INSTANCE_SLOT (stable|canary), INSTANCE_LAUNCH_HOOK,
  INSTANCE_TERMINATION_HOOK (names), AWS_REGION: required
  INSTANCE_SERVER (http://127.0.0.1:8080), INSTANCE_PHASES (/run/serving/phases, lines "<phase> <unix seconds>")
AWS and instance metadata are reached with the AWS SDK's own variables.
exit codes: 0 done (watch: the group ends this instance), 1 it did not happen in time, 2 bad input, 143 told to stop
"""
_VERBS = {"ready": ready, "watch": watch, "gone": gone}
STOPPED = 143  # what a shell gives for a process that SIGTERM ended: `watch` has not seen the instance's end


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m model_image.instance",
        description=_HELP,
        epilog=_WORDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=_VERBS)
    verb = parser.parse_args().verb
    try:
        config = read_config(os.environ)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    logs.set_up()
    try:
        return _VERBS[verb](make_agent(config, SystemClock()))
    except Stopped:
        logs.log.info("told to stop")
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
