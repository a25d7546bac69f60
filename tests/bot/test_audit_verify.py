"""`/kb audit verify` compares the database with what stands in the channel, and says plainly when it can't."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, update

from bot import audit_seals
from bot.audit_seals import _seals
from bot.blocks.drawn import Json
from bot.slack_api import SlackApi
from knowledge_base_agent.audit_outbox import unposted
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.audit_verify import AUDIT_VERIFY, VerifyArguments
from knowledge_base_agent.records.audit_verifying import PostedSeals
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.report import Note, Tone
from knowledge_base_agent.runner import silent
from tests.bot.at_work import bot_at_work, settings_in
from tests.people import LocalSlack
from tests.records.audit_tampering import edit, happened, posted, rewrite, take_out
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
    shown = await verified(slack, "The audit channel is not whole")
    assert "1 entry that was posted is not in the channel any more: 7." in shown
    assert "nothing outside of it vouches for that any more" in shown


async def test_a_channel_that_lost_its_oldest_messages_or_all_is_never_called_whole(
    slack: LocalSlack, kb: Deployment, api: SlackApi
) -> None:
    messages, _ = await api.history(CHANNEL, "", 200)
    by_entry = {one["metadata"]["event_payload"]["entry"]: one["ts"] for one in messages}
    for number in [*range(1, 13), 15]:
        await api._client.chat_delete(channel=CHANNEL, ts=by_entry[number])
    shown = await verified(slack, "The audit channel is not whole")
    assert "13 entries that were posted are not in the channel any more: 1 to 12, 15." in shown
    assert "The audit is whole" not in shown

    await all_posted(kb.engine)
    with writing(kb.engine) as connection:
        connection.execute(update(AUDIT).values(posted_at=utc_now() - timedelta(hours=1)))
    messages, _ = await api.history(CHANNEL, "", 200)
    for one in messages:
        await api._client.chat_delete(channel=CHANNEL, ts=one["ts"])
    shown = await verified(slack, "not in the channel any more: 1 to ")
    assert "The audit channel is not whole" in shown


def _told(reach: PostedSeals, within: float) -> PostedSeals:
    return reach


async def test_a_history_that_was_not_read_to_its_beginning_says_how_far_it_was_compared(
    kb: Deployment,
) -> None:
    assert AUDIT_VERIFY.answer is not None
    seals = posted(kb.engine)[9:]
    for there, said in ((seals, "none before entry 10"), ((), "no entry")):
        reach = PostedSeals(seals=there, back_to=utc_now())
        one = replace(kb, posted_seals=partial(_told, reach))
        report = await asyncio.to_thread(AUDIT_VERIFY.answer, one, VerifyArguments(), silent)
        assert report.title == "The audit is whole, as far as seen"
        assert report.tone is Tone.WARNING
        notes = [part.text for part in report.parts if isinstance(part, Note)]
        assert any(f"only: {said} was compared with it" in note for note in notes), notes


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
