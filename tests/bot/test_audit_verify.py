"""`/kb audit verify` compares the database with what stands in the channel, and says plainly when it can't."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Engine

from bot import audit_seals
from bot.audit_seals import _seals
from bot.blocks.drawn import Json
from bot.slack_api import SlackApi
from knowledge_base_agent.audit_outbox import unposted
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.records.database import writing
from tests.bot.at_work import bot_at_work, settings_in
from tests.people import LocalSlack
from tests.records.audit_tampering import edit, happened, rewrite, take_out
from tests.waiting import await_until

CHANNEL = "C0KBAUDIT"


@pytest.fixture
async def kb(slack: LocalSlack, sqlite_url: str) -> AsyncIterator[Deployment]:
    """A bot with an audit channel, in which twenty entries stand."""
    settings = settings_in(slack, sqlite_url, audit_channel=CHANNEL)
    async with bot_at_work(settings) as deployment:
        happened(deployment.engine, 20)
        await all_posted(deployment.engine)
        yield deployment


async def all_posted(engine: Engine) -> None:
    await await_until(lambda: unposted(engine) == (), what="all are posted", within=20)


async def verified(slack: LocalSlack, fragment: str) -> str:
    vera = slack.person("vera")
    await vera.types("/kb audit verify", in_="#ops")
    return (await vera.sees(fragment, within=15)).shown


async def test_what_is_whole_agrees_with_the_channel(
    slack: LocalSlack, kb: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_seals, "_PAGE", 7)  # several pages
    shown = await verified(slack, "The audit is whole")
    assert "is consistent in itself, and agrees with" in shown
    assert "in the channel" in shown


async def test_a_chain_written_anew_shows_by_what_was_posted(
    slack: LocalSlack, kb: Deployment
) -> None:
    with writing(kb.engine) as connection:
        edit(12, words="never said")(connection)
        rewrite(connection)
    shown = await verified(slack, "The audit is broken")
    assert "Entry 12: rewritten: it does not match its seal posted to the channel at" in shown


async def test_a_tail_cut_off_with_its_head_row_shows_by_what_was_posted(
    slack: LocalSlack, kb: Deployment
) -> None:
    with writing(kb.engine) as connection:
        take_out(*range(15, 21))(connection)
        rewrite(connection)
    # The question itself is an entry by now, in the place of one that was cut off.
    shown = await verified(slack, "The audit is broken")
    assert "Entry 15:" in shown


async def test_a_message_taken_out_of_the_channel_is_named(
    slack: LocalSlack, kb: Deployment, api: SlackApi
) -> None:
    messages, _ = await api.history(CHANNEL, "", 200)
    seventh = next(m for m in messages if m["metadata"]["event_payload"]["entry"] == 7)
    await api._client.chat_delete(channel=CHANNEL, ts=seventh["ts"])
    shown = await verified(slack, "Taken out of the channel")
    assert "Taken out of the channel: 7. They were posted, and are in the database." in shown


async def test_a_channel_that_cannot_be_read_is_said_and_the_chain_is_looked_at_alone(
    slack: LocalSlack, kb: Deployment
) -> None:
    await slack.do("membership", user="kb", channel="#kb-audit", member=False)
    shown = await verified(slack, "not compared with the channel")
    assert "Slack does not show the channel (not_in_channel)" in shown
    assert "/invite" in shown
    await slack.fails("conversations.history", "hang", seconds=4)
    assert "no answer within 1.1 s" in await verified(slack, "no answer within")


async def test_without_an_audit_channel_it_says_so(slack: LocalSlack, sqlite_url: str) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        assert "There is no audit channel" in await verified(slack, "not compared")


def test_only_marks_of_our_own_bot_count() -> None:
    def message(user: str = "UKB", kind: str = "kb_audit_entry", **payload: object) -> Json:
        mark = {"event_type": kind, "event_payload": payload}
        return {"user": user, "ts": "1795403525.000100", "text": "", "metadata": mark}

    imitated = "🔗 Audit head: entry 1, sha256 " + "a" * 64
    messages: list[Json] = [
        message(entry=1, sha256="a" * 64),
        message(user="U0EVE", entry=2, sha256="b" * 64),
        message(kind="other", entry=3, sha256="b" * 64),
        message(entry="4", sha256="b" * 64),
        message(entry=5, sha256="short"),
        {"user": "UKB", "ts": "1795403525.000200", "text": imitated},
    ]
    assert [one.number for one in _seals(messages, "UKB")] == [1]
