"""The guide's four troubles with real faults: the alert comes, a click ends the trouble, and the audit tells it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.people import LocalSlack, Message, Person, slack_server
from tests.records.deployment import ROOT, environment
from tests.servers import RedisSpaces
from tests.stories.system import System, system, tokens_of
from tests.stories.test_alerts import ALERTS, QUICK, restart

MB = 1_000_000
QUIET = {"KB_ALERT_RUNNING_SECONDS": "3600"}
"""Nothing runs too long but where a story is of that."""


@pytest.fixture(scope="module")
def whole(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose watcher looks often."""
    folder = tmp_path_factory.mktemp("troubles")
    with (
        redis_spaces.one() as space,
        slack_server() as url,
        system(space, folder, url, tokens_of(url) | QUICK | QUIET) as place,
    ):
        yield place


async def told_of(otto: Person, words: str) -> Message:
    return await otto.sees(words, in_=ALERTS, ever=True, within=40)


async def confirmed(otto: Person, alert: Message, button: str, preview: str) -> Message:
    """Click a button of an alert, confirm the preview in its thread, and return that message."""
    await otto.clicks(button, on=alert)
    asked = await otto.sees(preview, in_=ALERTS)
    assert asked.thread_ts == alert.ts, "what follows from an alert stays in its thread"
    await otto.clicks("Confirm", on=asked)
    return asked


@contextlib.contextmanager
def doomed(whole: System, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Start one more worker, of a queue named as the folder: the test kills it with all its processes."""
    command = [sys.executable, "-m", "celery", "-A", "tests.records.history_app", "worker"]
    command += ["-c", "1", "-Q", folder.name, "-n", f"{folder.name}@doomed", "--without-mingle"]
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environment(whole.site.settings), stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield worker
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def room(whole: System) -> tuple[int, int]:
    """Return the bytes that the worker uses and may use, by its own word."""
    replies: Any = whole.app.control.broadcast("kb_look", reply=True, timeout=5, limit=1)
    (said,) = replies[0].values()
    used, allowed = said["room"]
    return used, allowed


async def test_a_task_in_a_loop(whole: System, slack: LocalSlack) -> None:
    await restart(whole, slack, signal.SIGTERM, KB_ALERT_RUNNING_SECONDS="1")
    endless = whole.send("backtrack")
    otto = slack.person("otto")
    told = await told_of(otto, endless)
    preview = await confirmed(otto, told, "Revoke", "About to send SIGTERM to 1 running task")
    await otto.sees_change(preview, "1 stopped", within=20)
    await otto.sees_change(told, "Resolved", within=20)
    await restart(whole, slack, signal.SIGTERM)
    assert whole.audit("alerts") == ["alerted", "resolved"]
    assert whole.audit("revoke")[-4:] == ["previewed", "confirmed", "started", "ended"]


async def test_queue_build_up(whole: System, slack: LocalSlack) -> None:
    hold = [whole.send("sleep", 600) for _ in range(2)]
    for one in hold:
        whole.site.row_in(one, "STARTED")
    waiting = [whole.send("add", 1, 1) for _ in range(30)]
    otto = slack.person("otto")
    told = await told_of(otto, "in the queue celery, more than 10")
    await otto.clicks("Scale up", on=told)
    grown = await otto.sees("seen to have grown by 1 slot", in_=ALERTS)
    assert grown.thread_ts == told.ts
    await otto.sees_change(told, "Resolved", within=30)
    whole.site.row_in(waiting[-1], "SUCCESS", within=30)
    assert whole.audit("workers grow")[-2:] == ["started", "ended"]
    await otto.types("/kb revoke --all-active --terminate", in_="#ops")
    await otto.clicks("Confirm", on=await otto.sees("2 running tasks"))
    for one in hold:
        whole.site.row_in(one, "REVOKED", within=30)


async def test_a_worker_eating_memory(whole: System, slack: LocalSlack) -> None:
    used, allowed = room(whole)
    await restart(
        whole, slack, signal.SIGTERM, KB_ALERT_WORKER_MEMORY=str((used + 300 * MB) / allowed)
    )
    eater = whole.send("hoard", 600, 600)
    otto = slack.person("otto")
    told = await told_of(otto, "A worker eats memory")
    await otto.clicks("Active", on=told)
    listed = await otto.sees(eater, in_=ALERTS)
    assert listed.thread_ts == told.ts
    await otto.clicks("Revoke", on=listed, near=eater)
    preview = await otto.sees("About to send SIGTERM to 1 running task", in_=ALERTS)
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "1 stopped", within=20)
    over = await otto.sees_change(told, "Resolved", within=40)
    assert "less than the threshold" in over.shown
    assert whole.audit("revoke")[-4:] == ["previewed", "confirmed", "started", "ended"]
    await restart(whole, slack, signal.SIGTERM)


@pytest.mark.parametrize("button", ["Retry", "Clear its row"])
async def test_the_database_says_running_and_nothing_runs(
    whole: System, slack: LocalSlack, tmp_path: Path, button: str
) -> None:
    with doomed(whole, tmp_path) as worker:
        lost = whole.send("sleep", 600, queue=tmp_path.name)
        whole.site.row_in(lost, "STARTED", within=40)
        os.killpg(worker.pid, signal.SIGKILL)
    otto = slack.person("otto")
    told = await told_of(otto, lost)
    assert "runs by its row, and no worker has it" in told.shown
    if button == "Retry":
        preview = await confirmed(otto, told, button, "About to send 1 task again")
        await otto.sees_change(preview, "1 task: 1 sent", within=20)
    else:
        whole.site.age(lost, by=timedelta(minutes=2))
        preview = await confirmed(otto, told, button, "About to clear 1 row")
        await otto.sees_change(preview, "Cleared 1 row", within=20)
    over = await otto.sees_change(told, "Resolved", within=20)
    assert ("It was sent again, as" in over.shown) == (button == "Retry")
    operation = "retry" if button == "Retry" else "clear"
    assert whole.audit(operation)[-4:] == ["previewed", "confirmed", "started", "ended"]
