"""The lines of a task: a handful in the message, many as a file, and those to come as they come."""

import subprocess
import sys
from collections.abc import Iterable

import redis

from knowledge_base_agent.records.task_logs import encode_line, logs_key
from tests.people import LocalSlack
from tests.records.deployment import ROOT
from tests.stories.system import System


def logs(whole: System, task: str, *lines: str) -> None:
    """Log these lines in a task's name."""
    packed = [encode_line(time=1_790_000_000.0, level="INFO", text=line) for line in lines]
    with redis.Redis.from_url(whole.site.settings.logs_url) as store:
        store.rpush(logs_key(task), *packed)


async def test_many_lines_come_as_a_file_and_the_last_ones_in_the_message(
    whole: System, slack: LocalSlack
) -> None:
    logs(whole, "talker", *(f"line {n} <!channel> {'.' * 60}" for n in range(200)))
    vera = slack.person("vera")
    await vera.types("/kb logs talker -n 150", in_="#ops")
    answer = await vera.sees("of 150 lines")
    assert "line 199" in answer.shown
    assert "line 60 " not in answer.shown
    shared = await vera.sees("logs-of-talker.txt", ever=True)
    assert shared.thread_ts == answer.ts
    (file,) = shared.source["files"]
    async with slack.session.get(file["url_private"]) as download:
        content = await download.text()
    assert content.count("\n") == 149
    assert "line 50 <!channel>" in content


async def test_where_no_file_can_be_sent_the_message_has_what_fits_and_says_so(
    whole: System, slack: LocalSlack
) -> None:
    logs(whole, "mute", *(f"line {n} {'.' * 60}" for n in range(80)))
    await slack.fails("files.getUploadURLExternal", "error", times=1, error="missing_scope")
    vera = slack.person("vera")
    await vera.types("/kb logs mute -n 80", in_="#ops")
    answer = await vera.sees("The file could not be sent: missing_scope")
    assert "line 79" in answer.shown
    assert "in its thread" not in answer.shown


async def test_new_lines_come_into_the_same_message_until_the_task_ends(
    whole: System, slack: LocalSlack
) -> None:
    task = whole.send("tell", 3, 4.0)
    whole.site.row_in(task, "PROGRESS")
    vera = slack.person("vera")
    await vera.types(f"/kb logs {task} --follow", in_="#ops")
    followed = await vera.sees("New lines come here")
    logs(whole, task, "and one more")
    await vera.sees_change(followed, "and one more")
    ended = await vera.sees_change(followed, "The task has ended: SUCCESS", within=20)
    assert "and one more" in ended.shown
    assert whole.audit("logs")[-2:] == ["requested", "answered"], "it is recorded once"


async def test_a_bot_that_stops_ends_the_following_and_says_so(
    whole: System, slack: LocalSlack
) -> None:
    task = whole.send("sleep", 60.0)
    logs(whole, task, "it begins")
    vera = slack.person("vera")
    await vera.types(f"/kb logs {task} --follow", in_="#ops")
    followed = await vera.sees("New lines come here")
    whole.stop_bot()
    whole.start_bot()
    await vera.sees_change(followed, "No longer followed")
    await slack.app_connects(within=30)


def test_the_shell_prints_new_lines_until_the_task_ends(whole: System) -> None:
    task = whole.send("tell", 2, 60.0)
    whole.site.row_in(task, "PROGRESS")
    command = [sys.executable, "celery_monitor.py", "logs", task, "--follow"]
    with subprocess.Popen(
        command, cwd=ROOT, env=whole.environment, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as shell:
        assert shell.stdout is not None
        printed = [until(shell.stdout, "step 2")]
        logs(whole, task, "and one more")
        printed.append(until(shell.stdout, "and one more"))
        whole.site.app.control.revoke(task, terminate=True)
        printed.append(shell.stdout.read())
    assert shell.returncode == 0
    assert "".join(printed).count("and one more") == 1
    assert "".join(printed).count("step 2") == 1
    assert "The task has ended: REVOKED" in printed[-1]


def until(lines: Iterable[str], word: str) -> str:
    """Return what is printed up to the first line with this word, and all of it if it never comes."""
    seen = []
    for line in lines:
        seen.append(line)
        if word in line:
            break
    return "".join(seen)
