"""Running pieces of `./dev` as processes of their own, as a person's shell would."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEASH = ROOT / "tools" / "leash.py"


def leashed(*command: str, warm: float = 0.3, cold: float = 0.3) -> list[str]:
    """Return the words that run a command on a leash."""
    return [sys.executable, "-I", "-S", str(LEASH), str(warm), str(cold), *command]


def python(program: str, *words: str) -> list[str]:
    """Return the words that run a program given as text."""
    return [sys.executable, "-c", program, *words]


def gone(pid: int) -> bool:
    """Tell whether a process has ended; a zombie has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
