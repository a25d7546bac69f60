"""Messages reach people in a form that their Slack takes, where they are, and never by an address from elsewhere."""

import asyncio
from typing import Any

import pytest

from bot.blocks.problem import note_message
from bot.blocks.report import report_message
from bot.messages import Messages, Place, Posted
from bot.slack_api import Refusal, TooFast, Unreached
from tests.bot import samples
from tests.bot.samples import NOW
from tests.people import LocalSlack

OPS, RANDOM = "C0OPS0000", "C0RANDOM0"
OTTO = "U0OTTO000"
HERE = Place(channel=OPS, user=OTTO)


async def test_a_workspace_without_data_tables_gets_the_plain_form_and_is_not_asked_twice(
    slack: LocalSlack, messages: Messages
) -> None:
    await slack.do("refuse_block", type="data_table")
    drawn = report_message(samples.stats(), NOW)
    for _ in range(2):
        await messages.post(HERE, drawn)
    shown = await slack.person("otto").sees("celery", in_="#ops", ever=True)
    assert {block["type"] for block in shown.blocks} <= {"section", "actions"}
    assert "12,345" in shown.shown
    assert shown.buttons == ["Active", "Stuck"]
    answers = [call["answer"]["ok"] for call in await slack.calls("chat.postMessage")]
    assert answers == [False, True, True]


async def test_a_workspace_that_takes_no_blocks_gets_the_text(
    slack: LocalSlack, messages: Messages
) -> None:
    for kind in ("section", "data_table", "actions"):
        await slack.do("refuse_block", type=kind)
    await messages.post(HERE, report_message(samples.stats(), NOW))
    shown = await slack.person("otto").sees("3 of 5 workers answered", in_="#ops", ever=True)
    assert shown.blocks == []
    assert "12,345" in shown.text


async def test_one_refused_kind_does_not_cost_messages_that_do_without_it(
    slack: LocalSlack, messages: Messages
) -> None:
    await slack.do("refuse_block", type="data_table")
    await messages.post(HERE, report_message(samples.stats(), NOW))
    await messages.post(HERE, note_message("plain `words`"))
    shown = await slack.person("otto").sees("words", in_="#ops", ever=True)
    assert [block["type"] for block in shown.blocks] == ["rich_text"]


async def test_sending_leaves_nothing_behind_that_the_loop_would_have_to_end(
    messages: Messages,
) -> None:
    loop, begun = asyncio.get_running_loop(), list[str]()

    def begin(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> "asyncio.Task[Any]":
        begun.append(repr(work))
        return asyncio.Task(work, loop=loop, **more)

    loop.set_task_factory(begin)
    await messages.post(HERE, note_message("a word"))
    begun.clear()
    await asyncio.sleep(0)  # what was left behind would be begun here, to be ended
    await asyncio.sleep(0)
    loop.set_task_factory(None)
    assert not [one for one in begun if "athrow" in one]


async def test_a_message_waits_its_turn_when_slack_says_429(
    slack: LocalSlack, messages: Messages
) -> None:
    await slack.fails("chat.postMessage", "429", retry_after=1)
    await messages.post(HERE, note_message("worth waiting for"))
    first, second = await slack.calls("chat.postMessage")
    assert second["at"] - first["at"] >= 0.9


@pytest.mark.parametrize("how", ["500", "drop", "drop_after"])
async def test_a_message_is_never_posted_twice_by_itself(
    slack: LocalSlack, messages: Messages, how: str
) -> None:
    await slack.fails("chat.postMessage", how)
    with pytest.raises(Unreached):
        await messages.post(HERE, note_message("once"))
    assert len(await slack.calls("chat.postMessage")) == 1


async def test_a_channel_without_the_bot_is_told_apart_from_other_refusals(
    messages: Messages,
) -> None:
    with pytest.raises(Refusal, match="not_in_channel"):
        await messages.post(Place(channel=RANDOM, user=OTTO), note_message("hello"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.example/commands/T1/2/3",
        "https://hooks.slack.com@evil.example/x",
        "http://hooks.slack.com/commands/T1/2/3",
        "https://hooks.slack.com.evil.example/x",
    ],
)
async def test_a_response_url_elsewhere_is_not_used_and_the_person_is_told_all_the_same(
    slack: LocalSlack, messages: Messages, url: str
) -> None:
    place = Place(channel=OPS, user=OTTO, response_url=url)
    await messages.whisper(place, note_message("for your eyes"))
    shown = await slack.person("otto").sees("for your eyes", in_="#ops", ever=True)
    assert shown.is_ephemeral
    assert len(await slack.calls("chat.postEphemeral")) == 1


async def test_a_used_up_response_url_is_replaced_by_an_ephemeral_message(
    slack: LocalSlack, messages: Messages
) -> None:
    gone = slack.base_url + "/commands/T0ACME000/1/used"
    await messages.whisper(
        Place(channel=OPS, user=OTTO, response_url=gone), note_message("still for you")
    )
    shown = await slack.person("otto").sees("still for you", in_="#ops", ever=True)
    assert shown.is_ephemeral


async def test_nobody_to_whisper_to_is_no_error(messages: Messages) -> None:
    await messages.whisper(Place(channel=RANDOM, user=OTTO), note_message("into the void"))


async def test_an_edit_of_a_message_that_is_gone_is_refused(messages: Messages) -> None:
    with pytest.raises(Refusal, match="message_not_found"):
        await messages.update(Posted(channel=OPS, message="1.000001"), note_message("?"))


async def test_a_wait_that_is_too_long_for_a_person_is_not_waited(
    slack: LocalSlack, messages: Messages
) -> None:
    await slack.fails("chat.postMessage", "429", retry_after=600)
    with pytest.raises(TooFast):
        await messages.post(HERE, note_message("too late"))
