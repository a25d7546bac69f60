"""Starting with what is missing or wrong is one sentence and exit 2; stopping finishes what runs."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot.tokens import tokens_of
from knowledge_base_agent.problems import Misconfigured
from knowledge_base_agent.settings import Settings
from tests.bot.at_work import NOWHERE, bot_at_work, old_failures, settings_in
from tests.bot.test_http_mode import asked
from tests.people import LocalSlack
from tests.servers import free_port
from tests.waiting import await_until

ROOT = Path(__file__).parents[2]
OURS = ("SLACK_", "KB_", "CELERY_", "REDIS_", "DATABASE_URL", "PORT", "HTTP_PROXY", "HTTPS_PROXY")


def variables(sqlite_url: str, **more: str) -> dict[str, str]:
    """Return an environment with nothing of ours but what is named."""
    kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(OURS)}
    urls = ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "REDIS_PROGRESS_URL", "REDIS_LOGS_URL")
    return kept | dict.fromkeys(urls, NOWHERE) | {"DATABASE_URL": sqlite_url} | more


def tokens(slack: LocalSlack) -> dict[str, str]:
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }


@contextlib.contextmanager
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bot"]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as bot:
        try:
            yield bot
        finally:
            bot.kill()


@pytest.mark.parametrize(
    ("bot", "app", "sentence"),
    [
        (None, "xapp-1", "SLACK_BOT_TOKEN is not set."),
        ("xapp-1", None, "SLACK_BOT_TOKEN does not start with xoxb-"),
        ("xoxb-1", None, "Neither SLACK_APP_TOKEN"),
        ("xoxb-1", "xoxb-1", "SLACK_APP_TOKEN does not start with xapp-"),
    ],
)
def test_a_missing_or_misplaced_token_is_named(
    bot: str | None, app: str | None, sentence: str
) -> None:
    settings = Settings.model_validate({"slack_bot_token": bot, "slack_app_token": app})
    with pytest.raises(Misconfigured, match=sentence):
        tokens_of(settings)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "SLACK_BOT_TOKEN is not set."),
        (
            {
                "SLACK_BOT_TOKEN": "xoxb-1",
                "SLACK_SIGNING_SECRET": "s",
                "CELERY_APP": "no.such.module",
            },
            "CELERY_APP names no.such.module",
        ),
    ],
)
def test_what_keeps_the_bot_from_starting_is_one_sentence_and_exit_2(
    sqlite_url: str, given: dict[str, str], sentence: str
) -> None:
    with process(variables(sqlite_url, **given)) as bot:
        _, said = bot.communicate(timeout=30)
    assert bot.returncode == 2
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.parametrize("variable", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_a_token_that_slack_does_not_take_is_named(
    slack: LocalSlack, sqlite_url: str, variable: str
) -> None:
    prefix = "xoxb-" if "BOT" in variable else "xapp-"
    wrong = tokens(slack) | {variable: f"{prefix}wrong-0000-token"}
    with process(variables(sqlite_url, **wrong)) as bot:
        _, said = bot.communicate(timeout=30)
    assert bot.returncode == 2
    assert f"Slack does not take the token in {variable} (invalid_auth)." in said
    assert "wrong-0000" not in said


async def test_the_log_holds_no_token_and_no_response_url(
    slack: LocalSlack, sqlite_url: str
) -> None:
    # Another proxy is set in the environment, and a Slack on this machine is reached directly all the same.
    more = tokens(slack) | {"HTTP_PROXY": "http://127.0.0.1:1", "KB_LOG_LEVEL": "DEBUG"}
    with process(variables(sqlite_url, **more)) as bot:
        await slack.app_connects(within=20)
        otto = slack.person("otto")
        await otto.types("/kb revoke x password=hunter22", in_="#ops")
        await otto.sees("password")
        bot.send_signal(signal.SIGTERM)
        _, said = bot.communicate(timeout=30)
    assert bot.returncode == 0
    for secret in (slack.bot_token, slack.app_token, "hunter22", "/commands/T0", "ticket=l"):
        assert secret not in said
    assert "the bot listens" in said


async def test_a_run_that_goes_on_at_sigterm_is_finished_first(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url, two_person_above=5_000)) as deployment:
        old_failures(deployment, 2_000)
        otto = slack.person("otto")
        await otto.types("/kb clear --older-than 24 --status FAILURE", in_="#ops")
        preview = await otto.sees("2,000 FAILURE")
        await otto.clicks("Confirm", on=preview)

        async def running() -> bool:
            seen = [m for m in await otto.looks(in_="#ops") if m.ts == preview.ts]
            return "Confirm" not in seen[0].buttons

        await await_until(running, what="the run has begun")
    # The bot has stopped by now, and the message shows the end all the same.
    await otto.sees_change(preview, "Cleared 2,000 rows", within=1)


async def test_what_comes_whole_only_after_it_was_told_to_stop_is_not_acknowledged(
    slack: LocalSlack, sqlite_url: str, session: aiohttp.ClientSession
) -> None:
    port = free_port()
    secret = SecretStr(slack.signing_secret)
    settings = settings_in(
        slack, sqlite_url, slack_app_token=None, slack_signing_secret=secret, port=port
    )
    body, headers = asked(slack, "help")
    lines = ["POST /slack/events HTTP/1.1", "Host: bot", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    at_work = bot_at_work(settings)
    await at_work.__aenter__()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body[:5])
    async with session.get(f"http://127.0.0.1:{port}/healthz"):
        pass  # by now the other request is being read, too
    stopping = asyncio.create_task(at_work.__aexit__(None, None, None))
    await asyncio.sleep(0)
    writer.write(body[5:])
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 503")
    writer.close()
    await stopping


async def test_slack_being_away_at_the_start_is_waited_out(
    slack: LocalSlack, sqlite_url: str
) -> None:
    await slack.fails("auth.test", "500", times=1)
    async with bot_at_work(settings_in(slack, sqlite_url)):
        vera = slack.person("vera")
        await vera.types("/kb help", in_="#ops")
        await vera.sees("What you can ask")


async def test_while_slack_is_away_the_bot_is_alive_but_not_ready_and_stops_at_once(
    sqlite_url: str, session: aiohttp.ClientSession
) -> None:
    port = free_port()
    away = {
        "SLACK_API_URL": "http://127.0.0.1:1/api/",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "PORT": str(port),
    }

    async def status(path: str) -> int:
        try:
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def alive() -> bool:
        return await status("/healthz") == 200

    with process(variables(sqlite_url, **away)) as bot:
        await await_until(alive, within=20, what="the bot serves its health")
        assert await status("/readyz") == 503
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(timeout=10) == 0
        assert bot.stderr is not None
        assert "Slack does not answer yet" in bot.stderr.read()
