"""`./dev demo`: the whole system on this machine, from a private Valkey to a Slack in the browser."""

import asyncio
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tools import demo_sources
from tools.demo_folder import demo_folder, refuse_taken
from tools.demo_plan import SOURCE, Plan, environment, make_plan, processes
from tools.environment import Environment
from tools.refusal import Refusal
from tools.supervisor import Supervisor
from tools.transcript import Transcript

PORT = 8040
SHELL = "environment.sh"
"""The file that makes a shell use the demo's parts, for `celery_monitor.py` beside the page."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def demo(root: Path, *, port: int, data: Path, fresh: bool) -> int:
    """Make the environment, then run the demo until it is told to end; return its exit code."""
    refuse_taken(port)
    python = Environment(root=root).ready("demo")
    return run_demo(root, python, port=port, data=data, fresh=fresh)


def run_demo(root: Path, python: Path, *, port: int, data: Path, fresh: bool) -> int:
    """Run the demo with an environment's interpreter until it is told to end; return its exit code."""
    with demo_folder(data, fresh=fresh) as folder:
        plan = make_plan(root, python, folder, port)
        sources = folder.path / "sources"
        demo_sources.clear(sources)
        seeds = demo_sources.lay_out(root, python.parent.parent, sources, plan.site)
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in plan.settings().items()]
        (folder.path / SHELL).write_text("".join(lines), encoding="utf-8")
        os.chdir(root)
        return asyncio.run(_run(plan, seeds))


async def _run(plan: Plan, sources: list[Path]) -> int:
    parts = processes(plan, sources)
    transcript = Transcript(sys.stdout, [part.name for part in parts])
    supervisor = Supervisor(parts, transcript, environment(plan))
    seeds = [part.name for part in parts if part.name.startswith(SOURCE)]
    told = _told(supervisor, transcript)
    up = asyncio.create_task(_bring_up(plan, supervisor, transcript, seeds))
    waiting: set[asyncio.Future[Any]] = {
        up,
        asyncio.create_task(told.wait()),
        supervisor.failure,
    }
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if up in done:
            up.result()  # being up is no reason to end, but a defect on the way up must show
        if done != {up}:
            break
    up.cancel()
    told.set()  # from here on a signal hurries
    transcript.say(f"dev: ending {', '.join(supervisor.running()) or 'nothing'}; Ctrl-C hurries …")
    await supervisor.stop()
    transcript.say(f"dev: everything has ended; the data stays in {plan.folder.path}")
    if supervisor.failure.done():
        raise supervisor.failure.result()
    return 0


def _told(supervisor: Supervisor, transcript: Transcript) -> asyncio.Event:
    """Return what is set when we are told to end; told again, the processes are hurried."""
    told = asyncio.Event()

    def end() -> None:
        if told.is_set():
            supervisor.hurry()
        told.set()

    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup
        asyncio.get_running_loop().add_signal_handler(number, end)
    transcript.when_broken = told.set
    return told


async def _with_database(supervisor: Supervisor) -> None:
    await asyncio.gather(supervisor.start("slack"), supervisor.finish("migrate"))
    await asyncio.gather(supervisor.start("recorder"), supervisor.start("bot"))


async def _bring_up(
    plan: Plan, supervisor: Supervisor, transcript: Transcript, sources: list[str]
) -> None:
    started = time.monotonic()
    try:
        await supervisor.start("valkey")
        workers = [supervisor.start(name) for name in ("one", "two", "site")]
        await asyncio.gather(*workers, _with_database(supervisor))
    except Refusal as refusal:
        supervisor.fail(refusal)
        return
    seconds = time.monotonic() - started
    transcript.say(f"dev: ready after {seconds:.1f} s. Open {plan.page} (Ctrl-C ends everything)")
    outcomes = await asyncio.gather(*map(supervisor.finish, sources), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            transcript.say(f"dev: {outcome}")
    shell, python = (shlex.quote(str(path)) for path in (plan.folder.path / SHELL, plan.python))
    transcript.say(f"dev: the same from a shell: . {shell} && {python} celery_monitor.py stats")
    transcript.say(f"dev: the agent reads {plan.folder.path / 'sources'}. Open {plan.page}")
