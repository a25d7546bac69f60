"""Every audit entry reaches its channel, in order, however Slack behaves; an uncertain one is repeated and says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from bot import audit_channel
from bot.audit_channel import AuditChannel
from bot.blocks.audit import REPEAT
from bot.messages import Messages
from bot.threads import Threads
from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.audit import Kind, entry_of, write
from knowledge_base_agent.audit_outbox import unposted
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records import audit_chain
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from tests.people import LocalSlack
from tests.waiting import await_until

CHANNEL = "C0KBAUDIT"
OTTO = Actor(id="U0OTTO000", name="otto", surface=Surface.SLACK)


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """The database that the entries wait in."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def audit(messages: Messages, engine: Engine) -> AuditChannel:
    """The outbox of #kb-audit."""
    return AuditChannel(messages, engine, Threads(2, "test"), CHANNEL)


def happened(engine: Engine, *words: str) -> None:
    with writing(engine) as connection:
        for one in words:
            write(connection, entry_of(OTTO, Kind.REQUESTED, "stats", words=one))


async def posted(slack: LocalSlack) -> list[str]:
    """The messages of the audit channel, oldest first."""
    return [message.shown for message in await slack.person("ada").looks(in_="#kb-audit")]


@contextlib.asynccontextmanager
async def running(audit: AuditChannel) -> AsyncIterator[None]:
    task = asyncio.create_task(audit.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_entries_come_in_order_and_once(
    slack: LocalSlack, engine: Engine, audit: AuditChannel
) -> None:
    happened(engine, *(f"stats {n}" for n in range(25)))
    assert await audit.post_waiting() is None
    assert await audit.post_waiting() is None
    shown = await posted(slack)
    assert len(shown) == 25
    assert all(f"stats {n}`" in message for n, message in enumerate(shown))
    assert unposted(engine) == ()


async def test_an_entry_comes_at_once_after_a_nudge(
    slack: LocalSlack, engine: Engine, audit: AuditChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_channel, "EVERY_SECONDS", 60.0)
    async with running(audit):
        await asyncio.sleep(0)
        happened(engine, "clear")
        audit.nudge()
        await slack.person("ada").sees("clear", in_="#kb-audit", ever=True, within=5)


@pytest.mark.parametrize("how", ["429", "500"])
async def test_what_slack_refused_for_now_is_posted_later_and_not_as_a_repeat(
    slack: LocalSlack, engine: Engine, audit: AuditChannel, how: str
) -> None:
    happened(engine, "first", "second")
    await slack.fails("chat.postMessage", how, times=2)
    async with running(audit):
        await await_until(lambda: unposted(engine) == (), what="all are posted", within=15)
    shown = await posted(slack)
    assert ["first" in shown[0], "second" in shown[1], len(shown)] == [True, True, 2]
    # A 5xx may have been a success that got lost on the way; a 429 surely was none.
    assert (REPEAT in shown[0]) == (how == "500")
    assert REPEAT not in shown[1]


async def test_a_lost_answer_makes_a_repeat_that_says_so(
    slack: LocalSlack, engine: Engine, audit: AuditChannel
) -> None:
    happened(engine, "first", "second")
    await slack.fails("chat.postMessage", "drop_after")
    async with running(audit):
        await await_until(lambda: unposted(engine) == (), what="all are posted", within=15)
    shown = await posted(slack)
    assert [REPEAT in message for message in shown] == [False, True, False]
    assert ["first" in shown[0], "first" in shown[1], "second" in shown[2]] == [True] * 3


async def test_a_channel_that_is_gone_keeps_the_entries_and_does_not_flood_the_log(
    slack: LocalSlack, engine: Engine, messages: Messages, caplog: pytest.LogCaptureFixture
) -> None:
    audit = AuditChannel(messages, engine, Threads(2, "test"), "C0GONE000")
    happened(engine, "kept")
    pauses = [await audit.post_waiting() for _ in range(4)]
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert len(unposted(engine)) == 1


async def test_an_entry_that_was_posted_is_not_posted_again_while_the_database_is_away(
    slack: LocalSlack, engine: Engine, audit: AuditChannel
) -> None:
    happened(engine, "only once")
    with writing(engine):  # somebody holds SQLite's only write lock
        assert await audit.post_waiting() is not None
        assert await audit.post_waiting() is not None
    assert await audit.post_waiting() is None
    assert len(await posted(slack)) == 1
    assert unposted(engine) == ()


async def test_of_two_bots_on_one_database_each_entry_comes_once_and_the_other_takes_over(
    slack: LocalSlack, engine: Engine, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_channel, "EVERY_SECONDS", 0.1)
    bots = [AuditChannel(messages, engine, Threads(2, "test"), CHANNEL) for _ in range(2)]
    assert await bots[0].post_waiting() is None  # from now on it is the one that posts
    async with running(bots[1]):
        async with running(bots[0]):
            happened(engine, *(f"stats {n}" for n in range(15)))
            await await_until(lambda: unposted(engine) == (), what="all are posted", within=15)
            assert len(await posted(slack)) == 15
        happened(engine, "after the other has stopped")
        await await_until(lambda: unposted(engine) == (), what="the rest is posted", within=15)
    shown = await posted(slack)
    assert all(f"stats {n}`" in message for n, message in enumerate(shown[:15]))
    assert len(shown) == 16


async def test_an_entry_that_a_bot_died_on_is_repeated_by_the_next_one_and_says_so(
    slack: LocalSlack, engine: Engine, messages: Messages, audit: AuditChannel
) -> None:
    happened(engine, "first", "second")
    await slack.fails("chat.postMessage", "hang", seconds=0.3)  # it hangs, and then it is cut
    dying = asyncio.create_task(audit.post_waiting())

    async def posting() -> bool:
        return bool(await slack.calls("chat.postMessage"))

    await await_until(posting, what="the first one is on its way")
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    audit._lease.release()  # as it runs out by itself
    assert await AuditChannel(messages, engine, Threads(2, "test"), CHANNEL).post_waiting() is None
    shown = await posted(slack)
    assert [REPEAT in message for message in shown] == [True, False]


@pytest.mark.parametrize("how", ["archived", "deleted", "left"])
async def test_a_channel_that_is_closed_gets_its_entries_once_it_is_open_again(
    slack: LocalSlack, engine: Engine, audit: AuditChannel, how: str
) -> None:
    async def shut(value: bool) -> None:
        if how == "left":
            await slack.do("membership", user="kb", channel=CHANNEL, member=not value)
        else:
            await slack.do("channel", channel=CHANNEL, **{how: value})

    await shut(True)
    happened(engine, "kept", "too")
    assert await audit.post_waiting() == 1.0
    assert len(unposted(engine)) == 2
    await shut(False)
    assert await audit.post_waiting() is None
    shown = await posted(slack)
    assert [REPEAT in message for message in shown] == [False, False]


async def test_what_waited_for_a_deleted_channel_comes_to_the_one_that_is_set_instead(
    slack: LocalSlack, engine: Engine, messages: Messages, audit: AuditChannel
) -> None:
    await slack.do("channel", channel=CHANNEL, deleted=True)
    happened(engine, "kept")
    assert await audit.post_waiting() == 1.0
    audit._lease.release()
    other = AuditChannel(messages, engine, Threads(2, "test"), "C0OPS0000")
    assert await other.post_waiting() is None
    (message,) = await slack.person("otto").looks(in_="#ops")
    assert "kept" in message.shown


async def test_a_day_that_is_over_gets_its_head_although_nothing_else_happens(
    slack: LocalSlack, engine: Engine, audit: AuditChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(engine, "stats", "stuck")
    assert await audit.post_waiting() is None
    assert len(await posted(slack)) == 2
    tomorrow = utc_now() + timedelta(days=1)
    for module in (audit_channel, audit_chain):
        monkeypatch.setattr(module, "utc_now", lambda: tomorrow)
    for _ in range(2):
        assert await audit.post_waiting() is None
    *_, head = await posted(slack)
    with reading(engine) as connection:
        second = connection.execute(select(AUDIT.c.seal).where(AUDIT.c.id == 2)).scalar_one()
    assert f"Audit head: entry 2, sha256 {second}" in head
    assert len(await posted(slack)) == 3


async def test_an_entry_of_a_newer_version_is_posted_too(
    slack: LocalSlack, engine: Engine, audit: AuditChannel
) -> None:
    happened(engine, "stats --of-tomorrow")
    with writing(engine) as connection:
        connection.execute(update(AUDIT).values(kind="foreseen"))
    assert await audit.post_waiting() is None
    (message,) = await posted(slack)
    assert "stats --of-tomorrow" in message
