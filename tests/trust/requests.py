"""Replayed, reordered, expired and tampered requests and envelopes, sent to a real bot: none of them may do anything.

Judged by the rows that the previewed `clear` would remove, and by the rows of runs.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from pydantic import SecretStr
from sqlalchemy import select, update

from bot.app import Bot
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS, RUNS
from knowledge_base_agent.settings import Settings
from tests.bot.at_work import settings_in
from tests.people import LocalSlack, local_slack
from tests.servers import free_port
from tests.trust.envelopes import EXECUTED, redelivered
from tests.trust.forged import (
    AFTER_IT_RAN,
    AFTER_ITS_TIME,
    WHILE_IT_WAITS,
    Forge,
    Sent,
    pressed,
    signed,
)
from tests.trust.place import Place
from tests.trust.trial import Trial
from tests.trust.ways import CLEAR
from tests.waiting import await_until

NOT_EXECUTED, LET_IN = (
    "true presses that were not executed",
    "forgeries that were not answered with 401",
)
_ENVELOPES = 0.05
_PER_ROUND = 30
_RESTART_EVERY = 25
_UNSIGNED = ("expired signatures", "tampered bodies", "tampered headers", "signed by somebody else")
Preview = tuple[str, str, Sent]
"""The key of its effects, the confirmation's id, and the request that confirms it."""


@dataclass(kw_only=True)
class _Table:
    """A bot over HTTP, and what stands between it and whoever sends."""

    trial: Trial
    settings: Settings
    url: str
    session: aiohttp.ClientSession
    bot: Bot
    opened: Deployment
    keys: int = 0

    async def send(self, sent: Sent) -> int:
        """Send a request; return the status of the answer."""
        async with self.session.post(
            self.url, data=sent.body, headers=dict(sent.headers)
        ) as answer:
            return answer.status

    async def idle(self) -> None:
        """Wait until the bot has done all that it was asked for."""
        desk = self.bot._desk
        assert desk is not None
        await await_until(
            lambda: not len(desk.errands), within=60, what="the bot has done its errands"
        )

    async def preview(self) -> tuple[str, str]:
        """Make a preview; return its key and its confirmation's id."""
        self.keys += 1
        key = f"forged.{self.keys}"
        return key, await asyncio.to_thread(CLEAR.prepare, self.opened, key)


def run(trial: Trial, place: Place) -> None:
    """Send until the count is reached, and restart the bot now and then: its memory of signatures goes with it."""
    trial.never(EXECUTED, NOT_EXECUTED, LET_IN)
    asyncio.run(_run(trial, place))


async def _run(trial: Trial, place: Place) -> None:
    async with local_slack() as slack:
        await redelivered(trial, slack, place, up_to=_ENVELOPES)
        before: list[Preview] = []
        while trial.goes_on():
            async with _bot(trial, slack, place) as table:
                await _after_a_restart(table, before)
                before = [
                    await _round(table, slack.signing_secret)
                    for _ in range(_RESTART_EVERY)
                    if trial.goes_on()
                ]


async def _after_a_restart(table: _Table, before: list[Preview]) -> None:
    """Replay what the bot took before: it has forgotten the signatures, and must know the presses."""
    for key, _, seen in before:
        await table.send(seen)
        await table.idle()
        table.trial.did("replayed after a restart")
        if _runs(table, key) != 1:
            table.trial.saw(EXECUTED, f"{key}, after a restart")


@contextlib.asynccontextmanager
async def _bot(trial: Trial, slack: LocalSlack, place: Place) -> AsyncIterator[_Table]:
    port = free_port()
    settings = settings_in(
        slack,
        place.sqlite_url,
        slack_app_token=None,
        slack_signing_secret=SecretStr(slack.signing_secret),
        port=port,
        operators=("S0ONCALL0", "UOTTO"),
    )
    opened = open_deployment(settings, make_app(settings))
    bot = Bot(settings, opened)
    try:
        await bot.start()
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/slack/events"
            yield _Table(
                trial=trial, settings=settings, url=url, session=session, bot=bot, opened=opened,
                keys=trial.reached,
            )  # fmt: skip
    finally:
        await bot.stop()
        opened.close()


async def _round(table: _Table, secret: str) -> Preview:
    """Forge while a preview waits, then press it truly, then replay; and forge what has had its time."""
    key, confirmation_id = await table.preview()
    press = pressed(confirmation_id)
    true = signed(press, secret)
    await _forged(table, WHILE_IT_WAITS, [(key, confirmation_id, true)], secret, ran=False)
    await table.send(true)
    await table.idle()
    if len(_effects(table, key)) != CLEAR.whole:
        table.trial.saw(NOT_EXECUTED, key)
    await _forged(table, AFTER_IT_RAN, [(key, confirmation_id, true)], secret, ran=True)
    over = [await _expired(table, secret), await _cancelled(table, secret)]
    await _forged(table, AFTER_ITS_TIME, over, secret, ran=False)
    return key, confirmation_id, true


async def _expired(table: _Table, secret: str) -> Preview:
    key, confirmation_id = await table.preview()
    past = utc_now() - timedelta(seconds=1)
    with writing(table.opened.engine) as connection:
        mine = CONFIRMATIONS.c.id == confirmation_id
        connection.execute(update(CONFIRMATIONS).where(mine).values(expires_at=past))
    return key, confirmation_id, signed(pressed(confirmation_id), secret)


async def _cancelled(table: _Table, secret: str) -> Preview:
    """Let a Cancel arrive before the Confirm that was pressed earlier."""
    key, confirmation_id = await table.preview()
    confirm = signed(pressed(confirmation_id), secret)
    await table.send(signed(pressed(confirmation_id, action="cancel"), secret))
    await table.idle()
    return key, confirmation_id, confirm


async def _forged(
    table: _Table,
    kinds: dict[str, Forge],
    previews: list[Preview],
    secret: str,
    *,
    ran: bool,
) -> None:
    """Send forgeries of each kind at once; nothing but what ran before may have run afterwards."""
    names = list(kinds)
    made = []
    for number in range(_PER_ROUND):
        name = names[number % len(names)]
        _, confirmation_id, seen = previews[number % len(previews)]
        press = pressed(confirmation_id)
        made.append((name, kinds[name](table.trial.random, press, seen, secret)))
    statuses = await asyncio.gather(*(table.send(sent) for _, sent in made))
    await table.idle()
    for (name, _), status in zip(made, statuses, strict=True):
        table.trial.did(name)
        if name in (*_UNSIGNED, "replayed, byte for byte") and status != 401:
            table.trial.saw(LET_IN, f"{name}: {status}")
    for key, _, _ in previews:
        runs = _runs(table, key)
        if runs != (1 if ran else 0) or len(_effects(table, key)) != (CLEAR.whole if ran else 0):
            table.trial.saw(EXECUTED, f"{key}: {runs} runs, {_effects(table, key)} gone")


def _effects(table: _Table, key: str) -> list[str]:
    return CLEAR.effects(table.opened, key)


def _runs(table: _Table, key: str) -> int:
    with reading(table.opened.engine) as connection:
        query = select(RUNS.c.number).where(RUNS.c.words == CLEAR.words(key))
        return len(connection.execute(query).all())
