"""An environment for each peer, so that their versions do not have to agree with ours; every package is pinned."""

import sys
from hashlib import sha256
from pathlib import Path

from scripts.localcloud import bootstrap
from scripts.localcloud.shell import bound, run
from scripts.localcloud.tools import cached

HERE = Path(__file__).parent
VARIABLES = {
    "HF_HUB_OFFLINE": "1",  # the weights lie on this disk
    "DO_NOT_TRACK": "1",
    "INFINITY_ANONYMOUS_USAGE_STATS": "0",
    "TOKENIZERS_PARALLELISM": "true",
}


def environment(name: str) -> Path:
    """Python of the peer's environment; made when it is missing. Raises UserError when a package cannot be had."""
    requirements = HERE / "requirements" / f"{name}.txt"
    key = sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    made = cached(f"bench/venv-{name}-{key}", f"install {name}", lambda into: _install(requirements, into), "2 minutes")
    return made / "bin" / "python"


def _install(requirements: Path, into: Path) -> None:
    uv = str(Path(sys.executable).parent / "uv")
    run(bound([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(into)]))
    pip = [uv, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", str(into / "bin" / "python")]
    run(bound([*pip, "--find-links", str(bootstrap.wheels()), "-r", str(requirements)]))
