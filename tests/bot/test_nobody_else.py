"""Every listener of the bot × every kind of person who does not belong: refused, recorded, and nothing done."""

import ast
import hashlib
import hmac
import inspect
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import insert

from bot import listeners
from bot.blocks.buttons import WORDS, value_of
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS
from tests.bot.acts import (
    NOBODIES,
    SERIAL,
    SURFACES,
    Json,
    Stranger,
    click,
    command,
    home,
    preview_of_clear,
)
from tests.bot.at_work import bot_at_work, old_failures, recorded, settings_in
from tests.people import LocalSlack
from tests.servers import free_port
from tests.waiting import await_until


@dataclass(frozen=True, kw_only=True)
class Bot:
    """A bot over HTTP, whose every listener a test can reach."""

    url: str
    secret: str
    deployment: Deployment
    session: aiohttp.ClientSession

    async def sent(self, body: Json) -> str:
        """Send a payload as Slack does; return what the answer holds."""
        is_event = body.get("type") == "event_callback"
        packed = (json.dumps(body) if is_event else urlencode({**body, "n": next(SERIAL)})).encode()
        stamp = str(int(time.time()))
        signed = hmac.new(
            self.secret.encode(), b":".join((b"v0", stamp.encode(), packed)), hashlib.sha256
        )
        headers = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signed.hexdigest()}",
            "Content-Type": "application/json" if is_event else "application/x-www-form-urlencoded",
        }
        async with self.session.post(
            f"{self.url}/slack/events", data=packed, headers=headers
        ) as answer:
            assert answer.status == 200
            return await answer.text()


@pytest.fixture
async def bot(
    slack: LocalSlack, sqlite_url: str, session: aiohttp.ClientSession
) -> AsyncIterator[Bot]:
    """A bot that knows otto as its operator, with one failed task to clear."""
    port = free_port()
    secret = SecretStr(slack.signing_secret)
    settings = settings_in(
        slack, sqlite_url, slack_app_token=None, slack_signing_secret=secret, port=port
    )
    async with bot_at_work(settings) as deployment:
        old_failures(deployment)
        with writing(deployment.engine) as connection:
            connection.execute(insert(CONFIRMATIONS).values(preview_of_clear()))
        yield Bot(
            url=f"http://127.0.0.1:{port}",
            secret=slack.signing_secret,
            deployment=deployment,
            session=session,
        )


def test_every_listener_of_the_bot_has_its_row() -> None:
    tree = ast.parse(inspect.getsource(listeners))
    registered = {
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Call)
        and ast.unparse(node.func).startswith("app.")
    }
    assert registered == set(SURFACES)


@pytest.mark.parametrize("kind", NOBODIES)
async def test_whoever_does_not_belong_is_refused_on_every_surface_and_recorded(
    slack: LocalSlack, bot: Bot, kind: str
) -> None:
    who = NOBODIES[kind]
    sent = [payload for payloads in SURFACES.values() for payload in payloads]
    if who.user in ("", "U0KBBOT00"):  # nobody has no Home tab; Bolt drops events of the bot itself
        sent.remove(home)
    for payload in sent:
        await bot.sent(payload(who))
    await await_until(
        lambda: len(recorded(bot.deployment)) >= len(sent),
        what="each is recorded",
        within=60,
    )
    entries = recorded(bot.deployment)
    assert len(entries) == len(sent)
    for recorded_kind, _, user, detail in entries:
        assert (recorded_kind, user) == ("refused", who.user)
        assert who.why in detail
    said = json.dumps(
        [await slack.calls(how) for how in ("chat.postMessage", "chat.postEphemeral")]
    )
    assert "FAILURE" not in said
    assert "What you can ask" not in said
    assert await slack.calls("views.open") == []


async def test_an_unreachable_slack_lets_nobody_in_anywhere(slack: LocalSlack, bot: Bot) -> None:
    await slack.fails("users.info", "500", times=200)
    otto = Stranger(user="U0OTTO000", why="could not tell who you are")
    sent = [payload for payloads in SURFACES.values() for payload in payloads]
    for payload in sent:
        await bot.sent(payload(otto))
    await await_until(
        lambda: len(recorded(bot.deployment)) == len(sent), what="each is recorded", within=60
    )
    assert {kind for kind, *_ in recorded(bot.deployment)} == {"refused"}


CHANGING: list[Callable[[Stranger], Json]] = [
    lambda who: command(who, "clear --older-than 0"),
    lambda who: command(who, "clear"),
    lambda who: command(who, "pause celery"),
    lambda who: click(who, f"{WORDS}:1", value_of("clear --older-than 0")),
]


async def test_a_viewer_changes_nothing_on_any_surface(slack: LocalSlack, bot: Bot) -> None:
    vera = Stranger(user="U0VERA000", why="you may look but not change")
    for payload in CHANGING:
        await bot.sent(payload(vera))
    await await_until(
        lambda: len(recorded(bot.deployment)) == len(CHANGING), what="each is recorded"
    )
    assert {(kind, user) for kind, _, user, _ in recorded(bot.deployment)} == {
        ("refused", vera.user)
    }
    assert await slack.calls("views.open") == []


async def test_an_operator_of_another_workspace_in_a_payload_is_not_our_operator(bot: Bot) -> None:
    ours = Stranger(user="U0OTTO000", why="")
    await bot.sent(command(ours, "stats"))
    await await_until(
        lambda: [kind for kind, *_ in recorded(bot.deployment)] == ["requested", "answered"],
        what="otto of this workspace is answered",
    )
