"""`./dev check`: format, lint, types, import contracts and the size ratchet, all of them at once."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tools.terminal import GREEN, RED, say

_LINT_IMPORTS = "from importlinter.cli import lint_imports_command as lint; lint()"
TYPED = (
    "bench",
    "bot",
    "celery_monitor.py",
    "dev",
    "knowledge_base_agent",
    "local_slack",
    "tests",
    "tools",
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one check."""

    name: str
    passed: bool
    seconds: float
    printed: str


def steps(root: Path, python: Path) -> dict[str, list[str]]:
    """Return the command of each check. The script `dev` is named, as it has no suffix to be found by."""
    run = [str(python), "-m"]
    typed = [name for name in TYPED if (root / name).exists()]
    return {
        "format": [*run, "ruff", "format", "--check", ".", "dev"],
        "lint": [*run, "ruff", "check", "--quiet", ".", "dev"],
        "types": [*run, "mypy", "--no-error-summary", *typed],
        "contracts": [str(python), "-c", _LINT_IMPORTS],
        "ratchet": [*run, "tools.ratchet"],
    }


def check(root: Path, python: Path) -> int:
    """Run every check and say how each went; return 0 only if all passed."""
    passed = True
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(_run, root, name, line) for name, line in steps(root, python).items()]
        for done in as_completed(work):
            outcome = done.result()
            passed = passed and outcome.passed
            _say(outcome)
    return 0 if passed else 1


def _run(root: Path, name: str, command: list[str]) -> Outcome:
    started = time.monotonic()
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    return Outcome(name=name, passed=done.returncode == 0, seconds=seconds, printed=done.stdout)


def _say(outcome: Outcome) -> None:
    word, colour = ("ok", GREEN) if outcome.passed else ("FAILED", RED)
    say(f"{outcome.name:<10} {word:<6} {outcome.seconds:5.1f} s", colour)
    if not outcome.passed:
        say(outcome.printed.rstrip())
