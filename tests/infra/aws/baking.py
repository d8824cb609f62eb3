"""A build machine: the steps of the document run for real, and `docker run` starts the real server, with a dummy model.

What only docker could do is missing: nothing is read-only here, and nothing is cut off but by a registry that is gone.
"""

import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from subprocess import CompletedProcess

from tests.infra.aws.host_machine import Machine
from tests.infra.aws.test_image_document import script

REPOSITORY_ROOT = Path(__file__).parents[3]

_DOCKER = """
state="{folder}/docker"
mkdir -p "$state"
case "$1 ${{2-}}" in
"image inspect") [ -e "$state/image" ] ;;
"pull --quiet") touch "$state/image" ;;
"login --username") cat >"$DOCKER_CONFIG/config.json"; echo "$DOCKER_CONFIG" >"{folder}/login" ;;
"run --detach")
    words=()
    while [ $# -gt 1 ]; do
        case "$1 $2" in
        "--env "*) words+=("$2=${{!2}}") ;;
        "--volume "*:/registry:ro) registry=${{2%%:*}} ;;
        esac
        shift
    done
    words+=(SERVING_BACKEND=dummy PYTHONPATH={root})
    for at in "${{!words[@]}}"; do words[at]=${{words[at]/%=\\/registry/=${{registry-}}}}; done
    printf '%s\\n' "${{words[@]}}" >"$state/environment"
    env -i "${{words[@]}}" {python} -m model_image.server >"$state/log" 2>&1 </dev/null &
    echo $! >"$state/container"
    ;;
"exec serving-bake")
    mapfile -t words <"$state/environment"
    exec env -i "${{words[@]}}" {python} "${{@:4}}"
    ;;
"ps --quiet") grep -q "^State:.[^Z]" "/proc/$(<"$state/container")/status" 2>/dev/null && echo c0ffee ;;
"ps --all") if [ -e "$state/container" ]; then echo c0ffee; fi ;;
"rm --force") kill -9 "$(<"$state/container")"; rm "$state/container" ;;
"logs serving-bake") cat "$state/log" ;;
*) echo "docker $*: nobody stands in for this" >&2; exit 99 ;;
esac
"""
# Shorter than five seconds: until the server listens, and a moment more.
_SLEEP = """
for _ in {{1..60}}; do
    if (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; then break; fi
    {sleep} 0.05
done
{sleep} 0.2
"""


class BuildMachine:
    """The folder `registry` is in the bucket's place, at `address`; what belongs on the root disk is below `disk`."""

    def __init__(self, folder: Path) -> None:
        self.registry, self.disk, self.temporary = folder / "registry", folder / "disk", folder / "tmp"
        for made in (self.registry, self.disk, self.temporary):
            made.mkdir()
        self.address, self._port = str(self.registry), _free_port()
        self.machine = Machine(folder / "machine")
        self.machine.has_real("cat", "chmod", "env", "mkdir", "mktemp", "rm", "touch")
        self.machine.has("systemctl")
        self.machine.has("install", body='mkdir -p "${@: -1}"')
        self.machine.has("aws", body="echo the-password")
        self.machine.has("sleep", body=_SLEEP.format(port=self._port, sleep=shutil.which("sleep")))
        self.machine.has(
            "docker", body=_DOCKER.format(folder=self.machine.folder, python=sys.executable, root=REPOSITORY_ROOT)
        )

    @property
    def data(self) -> Path:
        return self.disk / "var/lib/serving"

    @property
    def container(self) -> Path:
        """Holds the process of the server while its container exists."""
        return self.machine.folder / "docker/container"

    def close(self) -> None:
        """End the server that a failed step may have left."""
        if self.container.exists():
            os.kill(int(self.container.read_text()), signal.SIGKILL)

    def run(self, step: str, *, waits: int = 240) -> CompletedProcess[str]:
        """One step of the document; `waits` is how often it looks whether the server is ready."""
        text = script(step)
        for ours, here in {
            "s3://models": self.address,
            "SERVING_PORT=8080": f"SERVING_PORT={self._port}",
            "{1..240}": f"{{1..{waits}}}",
            "/var/lib/serving": str(self.data),
            "/etc/serving": str(self.disk / "etc/serving"),
            "/root/": f"{self.disk}/root/",
        }.items():
            text = text.replace(ours, here)
        path = self.machine.folder / f"{step}.sh"
        path.write_text(text)
        return self.machine.run(str(path), TMPDIR=str(self.temporary))


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
