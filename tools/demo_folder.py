"""The folder in which a demo keeps everything, marked as ours and used by one demo at a time."""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.refusal import Refusal
from tools.terminal import say

MARK = "this-is-a-demo"
_LOCK = "lock"
_ENDING = 20.0
"""Seconds that the processes of a demo that was killed may take to end."""


@dataclass(frozen=True, kw_only=True)
class DemoFolder:
    """A demo's folder, and the descriptor that holds its lock."""

    path: Path
    lock: int


@contextlib.contextmanager
def demo_folder(path: Path, *, fresh: bool) -> Iterator[DemoFolder]:
    """Lend the folder to one demo. Raises `Refusal` when it is not ours, or another demo has it.

    The lock is let go when its descriptor is closed everywhere, so processes that inherit it hold it too.
    """
    path = path.expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(path)
        (path / MARK).touch()
        with (path / _LOCK).open("a+") as file:
            _lock(file.fileno(), path)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            if fresh:
                _empty(path)
            yield DemoFolder(path=path, lock=file.fileno())
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise Refusal(
            f"{path} can't be used for the demo ({error.strerror}): choose a folder with --data."
        ) from error


def _refuse_foreign(path: Path) -> None:
    if any(path.iterdir()) and not (path / MARK).is_file():
        raise Refusal(
            f"{path} holds something that no demo of ours put there, so nothing was touched:"
            " choose an empty or new folder with --data."
        )


def _lock(descriptor: int, path: Path) -> None:
    end = time.monotonic() + _ENDING
    told = False
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = (path / _LOCK).read_text(encoding="utf-8")
            if _alive(owner) or time.monotonic() > end:
                raise Refusal(
                    f"{path} is used by another demo (process {owner}):"
                    " end that one, or choose another folder with --data."
                ) from None
        if not told:
            say("dev: the last demo was killed, and its processes are still ending; waiting …")
            told = True
        time.sleep(0.1)


def _alive(owner: str) -> bool:
    try:
        os.kill(int(owner), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _empty(path: Path) -> None:
    for entry in path.iterdir():
        if entry.name in {MARK, _LOCK}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def refuse_taken(port: int) -> None:
    """Raise `Refusal` when something listens on a port of the loopback interface, or it can't be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise Refusal(
                f"Port {port} is for root alone: choose one above 1023 with --port."
            ) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Refusal(
                f"Port {port} is in use: end what listens there, or choose another with --port."
            ) from error


def steady_port(folder: DemoFolder, name: str) -> int:
    """Return a free port, the same one at each start if it can be had."""
    kept = folder.path / f"{name}.port"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(kept.read_text(encoding="utf-8"))))
        except (OSError, ValueError, OverflowError):
            probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept.write_text(str(port), encoding="utf-8")
    return port
