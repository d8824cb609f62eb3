"""Stand-ins for the programs that the agent starts and asks; files in their folder say how they behave."""

from pathlib import Path

_SAY = 'echo "$(basename "$0") $*" >> "$HERE/asked"'
# A question to a daemon that hangs ends with `tools.NO_ANSWER`, here without the wait.
# A daemon is ready when its socket is there.
_CHARON = """touch "$(sed -n 's|.*socket = unix://||p' "$STRONGSWAN_CONF")"
exec sleep 60"""
_BIRD = """touch "$5"
exec sleep 60"""
_SWANCTL = """[ "$1" = --help ] && exit 0
[ -e "$HERE/charon-hangs" ] && exit 124
[ "$1" = --load-all ] && [ -e "$HERE/charon-refuses" ] && { echo "no such cipher" >&2; exit 22; }
[ "$1" = --list-sas ] && cat "$HERE/held" 2>/dev/null
exit 0"""
_BIRDCL = """[ -e "$HERE/bird-hangs" ] && exit 124
echo "BIRD 2.0.12 ready."
[ "$3" = configure ] && echo Reconfigured
exit 0"""
_IP = """case "$*" in
*"route get"*)
  [ -e "$HERE/no-route" ] && { echo "Network is unreachable" >&2; exit 2; }
  [ -e "$HERE/odd" ] && { echo "[]"; exit 0; }
  echo '[{"dev": "wan0"}]';;
*unreachable*) [ -e "$HERE/no-rights" ] && { echo "Operation not permitted" >&2; exit 2; };;
esac
exit 0"""
PROGRAMS = {
    "charon-systemd": _CHARON,
    "bird": _BIRD,
    "swanctl": _SWANCTL,
    "birdcl": _BIRDCL,
    "ip": _IP,
    "nft": "exit 0",
}


class Programs:
    """The programs in `folder`, which has to be first in PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        for name, script in PROGRAMS.items():
            file = folder / name
            file.write_text(f"#!/bin/sh\nHERE={folder}\n{_SAY}\n{script}\n")
            file.chmod(0o755)

    def set(self, word: str, is_so: bool = True) -> None:
        """Make it so that charon-hangs, charon-refuses, bird-hangs, no-route, no-rights, or odd answers come."""
        (self._folder / word).write_text("") if is_so else (self._folder / word).unlink()

    def asked(self, words: str) -> int:
        """How often a command with these words was run."""
        file = self._folder / "asked"
        return sum(words in line for line in file.read_text().splitlines()) if file.exists() else 0
