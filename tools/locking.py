"""`./dev lock`: the hashed locks anew from their `.in` files, without any index address in them."""

import subprocess
from pathlib import Path

from tools.refusal import Refusal
from tools.terminal import say

CONSTRAINED_BY = {
    "requirements-bootstrap": None,
    "requirements": None,
    "requirements-monitor": "requirements",
    "requirements-demo": "requirements",
    "requirements-dev": "requirements-demo",
}
"""Each lock and the one whose pins it keeps, in the order in which they are made."""

_COMPILE = ("pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes")
_BARE = ("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet")


def lock(root: Path, uv: Path, extra: list[str]) -> None:
    """Make all locks; pins that still fit stay, unless `extra` says `--upgrade`."""
    for name, other in CONSTRAINED_BY.items():
        constraint = ["--constraint", f"{other}.lock"] if other else []
        command = [str(uv), *_COMPILE, *_BARE, *constraint, *extra]
        done = subprocess.run(
            [*command, f"{name}.in", "-o", f"{name}.lock"], cwd=root, text=True, check=False
        )
        if done.returncode:
            raise Refusal(f"{name}.lock could not be made: mend what is said above, in {name}.in.")
        pins = check(root / f"{name}.lock")
        say(f"{name}.lock: {pins} packages")


def check(path: Path) -> int:
    """Return how many packages a lock pins. Raises `Refusal` if it names an address or lacks hashes."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        if "://" in line or line.startswith(("-", "--")):
            raise Refusal(
                f"{path.name} names an address ({line.strip()}): take it out of the .in file."
            )
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    loose = [line for line in pins if "==" not in line or not line.endswith("\\")]
    if loose:
        raise Refusal(f"{path.name} has no hash for {loose[0]}: run `./dev lock` again.")
    return len(pins)
