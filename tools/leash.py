"""A leash: runs one command, and ends all of it when the hand that holds the leash lets go.

    python leash.py WARM COLD COMMAND…

Standard input is the leash, a pipe: its end-of-file means that the holder let go, on purpose or because it
was killed. Then the command gets SIGTERM; after WARM seconds SIGQUIT (Celery's cold shutdown); after
COLD more its whole process group gets SIGKILL. SIGTERM to the leash itself hurries to the next step.
What the command leaves behind in its group is ended too. What it prints goes through here, so that it
can still print while it stops, though nobody reads it any more.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time

_LEFTOVERS = 1.0
"""Seconds that a dead command's children have, after SIGTERM, before SIGKILL."""
_LOOK = 0.05


class Leash:
    """One run of a command; see the module."""

    def __init__(self, command: list[str], *, warm: float, cold: float) -> None:
        self._steps = [(signal.SIGTERM, warm), (signal.SIGQUIT, cold), (signal.SIGKILL, None)]
        self._due: float | None = (
            None  # when the next step is taken; None while there is none to take
        )
        wake, wake_end = os.pipe()
        os.set_blocking(wake_end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._output, end = os.pipe()
        os.set_blocking(self._output, False)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=end, stderr=end, start_new_session=True
        )
        os.close(end)
        self._wake = wake
        self._selector = selectors.DefaultSelector()
        for source, act in (
            (0, self._let_go),
            (wake, self._signalled),
            (self._output, self._forward),
        ):
            self._selector.register(source, selectors.EVENT_READ, act)

    def hold(self) -> int:
        """Hold until the command has ended with all its children; return its exit code, shell style."""
        while self._process.poll() is None:
            self._look()
        self._end_leftovers()
        while self._forward():
            pass
        code = self._process.returncode
        return code if code >= 0 else 128 - code

    def _look(self, longest: float | None = None) -> None:
        left = None if self._due is None else max(0.0, self._due - time.monotonic())
        waits = [wait for wait in (left, longest) if wait is not None]
        for key, _ in self._selector.select(min(waits, default=None)):
            key.data()
        if self._due is not None and time.monotonic() >= self._due:
            self._step()

    def _let_go(self) -> None:
        if not os.read(0, 1024):
            self._selector.unregister(0)
            if self._due is None:
                self._step()

    def _signalled(self) -> None:
        if set(os.read(self._wake, 1024)) & {signal.SIGTERM, signal.SIGINT}:
            self._step()

    def _step(self) -> None:
        """Take the next step of the ending, and say so if it is not the gentle one."""
        if not self._steps or self._process.poll() is not None:
            return
        number, seconds = self._steps.pop(0)
        self._due = None if seconds is None else time.monotonic() + seconds
        if number is signal.SIGTERM:
            self._process.send_signal(number)
            return
        self._print(f"leash: it runs on, so it gets {number.name}\n".encode())
        if number is signal.SIGQUIT:
            self._process.send_signal(number)
        else:
            self._signal_group(number)

    def _signal_group(self, number: int) -> bool:
        """Signal the group; tell whether there was anyone left in it."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group whose last members are zombies
            return False
        return True

    def _end_leftovers(self) -> None:
        end = time.monotonic() + _LEFTOVERS
        number = int(signal.SIGTERM)
        while self._signal_group(number):
            number = 0
            if time.monotonic() > end:
                self._signal_group(signal.SIGKILL)
                return
            self._look(_LOOK)

    def _forward(self) -> bool:
        """Pass on what was printed; tell whether there was anything."""
        try:
            data = os.read(self._output, 65536)
        except BlockingIOError:
            return False
        if not data:  # it may close its output and live on
            with contextlib.suppress(KeyError):
                self._selector.unregister(self._output)
            return False
        self._print(data)
        return True

    def _print(self, data: bytes) -> None:
        with contextlib.suppress(
            BrokenPipeError
        ):  # the holder is gone; the command may still speak
            while data:
                data = data[os.write(1, data) :]


if __name__ == "__main__":
    sys.exit(Leash(sys.argv[3:], warm=float(sys.argv[1]), cold=float(sys.argv[2])).hold())
