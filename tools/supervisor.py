"""Starting processes on leashes, waiting until they are ready, starting them again, and ending them in order.

Each process has a leash (`leash.py`): a pipe that we hold. Processes that must end earlier hold it as well,
so when we let go, or are killed, they end in the right order without anyone left to direct them.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.refusal import Refusal
from tools.transcript import Lines, Transcript

_LEASH = Path(__file__).resolve().parent / "leash.py"
_COLD = 4.0
_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each new start of a process that ended by itself."""
_WITHIN = 120.0
"""Seconds within which that many ends are too many."""
_LOOK = 0.05


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of the demo."""

    name: str
    command: Sequence[str]
    ends_after: tuple[str, ...] = ()
    """Names of the processes that must have ended before this one is told to."""
    warm: float = 10.0
    """Seconds it has to end by itself after SIGTERM."""
    ready_line: str | None = None
    """A regular expression that a line matches when it is ready."""
    ready: Callable[[], Awaitable[bool]] | None = None
    """Tells whether it is ready, when no line does."""
    within: float = 60.0
    """Seconds in which it must be ready."""
    keep_open: tuple[int, ...] = ()
    """Descriptors that its leash holds open until the end."""


@dataclass(kw_only=True)
class _Run:
    process: Process
    lines: Lines = field(default_factory=Lines)
    leash: asyncio.subprocess.Process | None = None
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Future[int] = field(default_factory=asyncio.Future)
    """Its exit code, once it ended for good."""


class Supervisor:
    """Runs processes until it is told to stop, or one of them can't be kept alive."""

    def __init__(
        self, processes: Sequence[Process], transcript: Transcript, environment: Mapping[str, str]
    ) -> None:
        self._transcript = transcript
        self._environment = dict(environment)
        self._processes = {process.name: process for process in processes}
        self._pipes = {name: os.pipe() for name in self._processes}
        self._runs: dict[str, _Run] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.failure: asyncio.Future[Refusal] = asyncio.get_running_loop().create_future()
        """Is set when a process could not be started, or not be kept alive."""

    async def start(self, name: str) -> None:
        """Start a process and return when it is ready. Raises `Refusal` when it ends, or takes too long."""
        run = self._launch(name, self._keep)
        ready = asyncio.create_task(self._until_ready(run))
        run.ended.add_done_callback(lambda _: ready.cancel())
        try:
            await ready
        except asyncio.CancelledError:
            if run.ended.done():
                raise self._died(run, "before it was ready") from None
            raise

    async def finish(self, name: str) -> None:
        """Run a process to its end. Raises `Refusal` when it fails."""
        run = self._launch(name, self._once)
        if await asyncio.shield(run.ended) and not self._stopping.is_set():
            raise self._died(run, "")

    async def stop(self) -> None:
        """Let go of all leashes, and return when everything has ended."""
        if not self._stopping.is_set():
            self._stopping.set()
            for _, hand in self._pipes.values():
                os.close(hand)
        if self._keeping:
            await asyncio.wait(self._keeping)

    def hurry(self) -> None:
        """Make what ends now take its next step at once; what others still need is left alone until they ended."""
        still = set(self.running())
        for name in (name for name in still if not still & set(self._processes[name].ends_after)):
            leash = self._runs[name].leash
            if leash is not None and leash.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    leash.terminate()

    def running(self) -> Iterator[str]:
        """Return the names of the processes that still run."""
        return (name for name, run in self._runs.items() if not run.ended.done())

    def _launch(self, name: str, keep: Callable[[_Run], Awaitable[int]]) -> _Run:
        run = self._runs[name] = _Run(process=self._processes[name])

        async def until_the_end() -> None:
            run.ended.set_result(await keep(run))

        task = asyncio.create_task(until_the_end())
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        return run

    async def _once(self, run: _Run) -> int:
        """Run it on its leash once, and pass on what it prints."""
        process = run.process
        later = [
            name for name, other in self._processes.items() if process.name in other.ends_after
        ]
        held = [self._pipes[name][1] for name in later]
        patience = (str(process.warm), str(_COLD))
        run.leash = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_LEASH), *patience, *process.command),
            stdin=self._pipes[process.name][0],
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
            pass_fds=(*held, *process.keep_open),
            start_new_session=True,
        )
        await self._listen(run, run.leash)
        return await run.leash.wait()

    async def _listen(self, run: _Run, leash: asyncio.subprocess.Process) -> None:
        data = b"-"
        while data and leash.stdout is not None:
            data = await leash.stdout.read(65536)
            for line in run.lines.feed(data):
                self._transcript.line(run.process.name, line)
                pattern = run.process.ready_line
                if pattern and re.search(pattern, line):
                    run.is_ready.set()

    async def _keep(self, run: _Run) -> int:
        """Run it again and again, each time a little later, until we stop or it ends too often."""
        ends: deque[float] = deque(maxlen=len(_DELAYS) + 1)
        while True:
            code = await self._once(run)
            if self._stopping.is_set() or not run.is_ready.is_set():
                return code
            ends.append(time.monotonic())
            recent = sum(1 for end in ends if end > ends[-1] - _WITHIN)
            if recent > len(_DELAYS):
                self.fail(self._died(run, f"{recent} times within {_WITHIN:.0f} s"))
                return code
            delay = _DELAYS[recent - 1]
            how = _how(code)
            self._transcript.say(f"dev: {run.process.name} {how}; starting it again in {delay} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
                return code

    async def _until_ready(self, run: _Run) -> None:
        process = run.process
        try:
            async with asyncio.timeout(process.within):
                while process.ready is not None and not await process.ready():  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK)  # another process: there is no event to wait for
                if process.ready_line is not None:
                    await run.is_ready.wait()
        except TimeoutError as error:
            last = "\n  ".join(run.lines.last)
            raise Refusal(
                f"{process.name} was not ready within {process.within:.0f} s. Its last lines:\n  {last}"
            ) from error
        run.is_ready.set()

    def fail(self, refusal: Refusal) -> None:
        """Say why this can't go on; the first reason stays."""
        if not self.failure.done():
            self.failure.set_result(refusal)

    def _died(self, run: _Run, when: str) -> Refusal:
        code = run.leash.returncode if run.leash is not None else None
        last = "\n  ".join(run.lines.last) or "(it printed nothing)"
        what = f"{run.process.name} {_how(code or 0)} {when}".strip()
        return Refusal(f"{what}. Its last lines:\n  {last}")


def _how(code: int) -> str:
    return f"was ended by signal {code - 128}" if code > 128 else f"ended (exit code {code})"
