"""A process of the demo that dies comes back, and one that can't live is told about."""

import asyncio
import io
import os
import sys
from pathlib import Path

import pytest

from tests.dev.commands import gone, python
from tests.waiting import await_until
from tools import supervisor as supervising
from tools.refusal import Refusal
from tools.supervisor import Process, Supervisor
from tools.transcript import Transcript

STEADY = "import os, time; print('ready', os.getpid(), flush=True)\nwhile True: time.sleep(1)"
SHORT = "print('ready', flush=True); print('out of luck', flush=True); raise SystemExit(4)"


class Stage:
    """A supervisor and what it shows."""

    def __init__(self, *processes: Process) -> None:
        self.screen = io.StringIO()
        transcript = Transcript(self.screen, [process.name for process in processes])
        self.supervisor = Supervisor(processes, transcript, os.environ)

    def process_ids(self) -> list[int]:
        lines = self.screen.getvalue().splitlines()
        return [int(line.split()[-1]) for line in lines if "ready " in line]


def steady(name: str) -> Process:
    return Process(name=name, command=python(STEADY), ready_line="ready")


async def test_a_process_that_is_killed_is_started_again_and_that_is_said() -> None:
    stage = Stage(steady("bot"))
    await stage.supervisor.start("bot")
    (first,) = stage.process_ids()
    os.kill(first, 9)
    await await_until(lambda: len(stage.process_ids()) == 2, what="it runs again")
    await stage.supervisor.stop()
    assert "dev: bot was ended by signal 9; starting it again in 0.5 s" in stage.screen.getvalue()
    assert all(gone(pid) for pid in stage.process_ids())


async def test_what_keeps_dying_is_given_up_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervising, "_DELAYS", (0.01, 0.01))
    stage = Stage(Process(name="bot", command=python(SHORT), ready_line="ready"))
    await stage.supervisor.start("bot")
    refusal = await stage.supervisor.failure
    assert "bot ended (exit code 4) 3 times within 120 s" in str(refusal)
    assert "out of luck" in str(refusal)
    await stage.supervisor.stop()


async def test_a_process_that_ends_before_it_is_ready_is_not_tried_again() -> None:
    program = "print('no such table', flush=True); raise SystemExit(1)"
    stage = Stage(Process(name="recorder", command=python(program), ready_line="never said"))
    with pytest.raises(Refusal) as refused:
        await stage.supervisor.start("recorder")
    assert str(refused.value) == (
        "recorder ended (exit code 1) before it was ready. Its last lines:\n  no such table"
    )
    await stage.supervisor.stop()


async def test_a_process_that_is_never_ready_is_not_waited_for_for_ever() -> None:
    stage = Stage(
        Process(name="bot", command=python(STEADY), ready_line="never said", within=0.3, warm=1)
    )
    with pytest.raises(Refusal, match=r"bot was not ready within 0 s"):
        await stage.supervisor.start("bot")
    await stage.supervisor.stop()


def noting(name: str, ledger: Path, *, ends_after: tuple[str, ...] = ()) -> Process:
    """Return a process that notes when it is told to end; one named "busy" does not end then."""
    program = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    open(sys.argv[1], 'a').write(sys.argv[2])\n"
        "    if 'busy' not in sys.argv[2]: raise SystemExit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    command = python(program, str(ledger), f"{name} ")
    return Process(name=name, command=command, ready_line="ready", ends_after=ends_after, warm=60.0)


async def test_a_stop_ends_what_others_need_after_them(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    stage = Stage(noting("valkey", ledger, ends_after=("worker",)), noting("worker", ledger))
    for name in ("valkey", "worker"):
        await stage.supervisor.start(name)
    await stage.supervisor.stop()
    assert ledger.read_text() == "worker valkey "
    assert list(stage.supervisor.running()) == []


async def test_a_hurried_stop_ends_a_stuck_worker_at_once_and_still_the_store_last(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger"
    stage = Stage(noting("valkey", ledger, ends_after=("busy",)), noting("busy", ledger))
    for name in ("valkey", "busy"):
        await stage.supervisor.start(name)
    stopping = asyncio.create_task(stage.supervisor.stop())
    await await_until(ledger.exists, what="the worker was asked to end")
    stage.supervisor.hurry()
    await stopping
    assert ledger.read_text() == "busy valkey "
    assert "busy   │ leash: it runs on, so it gets SIGQUIT" in stage.screen.getvalue()


async def test_a_job_that_fails_is_told_with_its_exit_code() -> None:
    stage = Stage(Process(name="migrate", command=[sys.executable, "-c", "raise SystemExit(2)"]))
    with pytest.raises(Refusal, match=r"migrate ended \(exit code 2\)\. Its last lines"):
        await stage.supervisor.finish("migrate")
