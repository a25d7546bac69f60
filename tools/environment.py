"""The project's `.venv`: made from hashed locks, once, and only when something changed.

Beside it, in `var/`, lie a lock file, which makes two `./dev` wait for one another, and a mark that
stands while an installation is under way: where it is found, the last one was interrupted.
"""

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import installing
from tools.refusal import Refusal
from tools.terminal import say

BOOTSTRAP = "requirements-bootstrap.lock"
LOCKS = {
    "locking": (BOOTSTRAP,),
    "demo": (BOOTSTRAP, "requirements-demo.lock"),
    "dev": (BOOTSTRAP, "requirements-demo.lock", "requirements-dev.lock"),
}
"""The locks of each purpose, each one a superset of the one before, with the same pins."""

_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The virtual environment of one checkout."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def _stamp(self) -> Path:
        return self.folder / "dev-stamp"

    @property
    def _unfinished(self) -> Path:
        return self.root / "var" / "environment.unfinished"

    def ready(self, purpose: str) -> Path:
        """Make it fit for a purpose of `LOCKS` unless it is; return its interpreter."""
        if self._fits(purpose):
            return self.python
        try:
            with _alone(self.root / "var" / "environment.lock") as lock:
                if not self._fits(purpose):
                    self._make(purpose, lock)
        except OSError as error:
            raise _without_permission(error, self.root) from error
        return self.python

    def _fits(self, purpose: str) -> bool:
        if self._unfinished.exists() or not self.python.exists():
            return False
        return self._wanted(purpose) <= self._stamped()

    def _stamped(self) -> set[str]:
        try:
            return set(self._stamp.read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            return set()

    def _interpreter(self) -> set[str]:
        tag = sys.implementation.cache_tag
        return {f"python {tag} {os.uname().machine}", f"folder {self.folder}"}

    def _wanted(self, purpose: str) -> set[str]:
        locks = {f"{name} {_hash(self.root / name)}" for name in LOCKS[purpose]}
        return self._interpreter() | locks

    def _make(self, purpose: str, lock: int) -> None:
        stamped = self._stamped()
        if any(line.startswith("requirements-dev.lock ") for line in stamped):
            purpose = "dev"  # a changed lock must not take the tools away
        say(f"dev: making .venv from {LOCKS[purpose][-1]} …")
        anew = self._unfinished.exists() or not self.python.exists()
        if anew or not self._interpreter() <= stamped:
            self._unfinished.touch()
            _create(self.folder)
        self._unfinished.touch()
        self._stamp.unlink(missing_ok=True)
        files = [self.root / LOCKS[purpose][0]]
        files += [self.root / name for name in LOCKS[purpose][1:][-1:]]
        installing.install(self.python, files, self.root / "var" / "environment.log", lock)
        self._stamp.write_text("\n".join(sorted(self._wanted(purpose))), encoding="utf-8")
        self._unfinished.unlink()


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise Refusal(f"{path} is missing: get it back with `git checkout {path.name}`.") from error


def _create(folder: Path) -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise Refusal(
            f"This Python has no {missing[0]}, so it can't make an environment: install it"
            f" (Debian, Ubuntu: `apt install python3-venv` or `python{version}-venv`)"
            " and start ./dev again."
        )
    folder.mkdir(exist_ok=True)  # where that is forbidden it raises what venv would only print
    # a venv's own python must not make its successor: it is about to be wiped
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "venv", "--clear", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Refusal(
            f"The environment {folder} could not be made ({' '.join(last)}):"
            " remove that folder and start ./dev again."
        )


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[int]:
    """Hold the lock file; children that get the descriptor hold it too, even past our own end."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("dev: another ./dev is making the environment; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _without_permission(error: OSError, root: Path) -> Exception:
    if error.errno in _DENIED:
        return Refusal(
            f"No permission to write {error.filename or root}: make {root} yours"
            " (`chown -R`), or clone the project where you may write, and start ./dev again."
        )
    if error.errno == errno.ENOSPC:
        return Refusal(f"The disk of {root} is full: free about 600 MB and start ./dev again.")
    return error
