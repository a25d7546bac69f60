"""Channels that another organisation reads: nothing is destroyed from there, and answers are for who asked alone."""

import pytest

from bot.channels import audience_of
from knowledge_base_agent.actors import Audience
from tests.bot.at_work import bot_at_work, old_failures, recorded, settings_in
from tests.people import LocalSlack
from tests.waiting import await_until

CLEAR = "/kb clear --older-than 24 --status FAILURE"
SHARED = "#shared-acme"


@pytest.mark.parametrize(
    ("channel", "audience"),
    [
        ({"is_ext_shared": False, "is_shared": False}, Audience.OURS),
        ({"is_im": True}, Audience.OURS),
        ({"is_shared": True, "is_org_shared": True, "is_ext_shared": False}, Audience.OURS),
        ({"is_ext_shared": True}, Audience.SHARED),
        ({"is_im": True, "is_ext_shared": True}, Audience.SHARED),
        ({"is_ext_shared": False, "is_shared": True}, Audience.SHARED),
        ({"is_ext_shared": False, "is_pending_ext_shared": True}, Audience.SHARED),
        ({"is_ext_shared": False, "pending_shared": ["T9"]}, Audience.SHARED),
        ({"is_ext_shared": False, "pending_connected_team_ids": ["T9"]}, Audience.SHARED),
        ({"is_ext_shared": True, "is_org_shared": True}, Audience.SHARED),
        ({}, Audience.UNKNOWN),
    ],
)
def test_what_slack_says_of_a_channel_tells_who_reads_it(
    channel: dict[str, object], audience: Audience
) -> None:
    assert audience_of(channel) is audience


@pytest.mark.parametrize("flag", ["is_ext_shared", "is_pending_ext_shared"])
async def test_what_destroys_is_refused_there_and_recorded(
    slack: LocalSlack, sqlite_url: str, flag: str
) -> None:
    await slack.do("sharing", channel="#ops", **{flag: True})
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        refusal = await otto.sees("shared with another organisation")
        assert refusal.is_ephemeral
        await await_until(
            lambda: (
                [(kind, name) for kind, name, *_ in recorded(deployment)] == [("refused", "clear")]
            ),
            what="the refusal is recorded",
        )


async def test_a_form_of_what_destroys_is_not_even_opened_there(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        otto = slack.person("otto")
        await otto.types("/kb clear", in_=SHARED)
        await otto.sees("shared with another organisation")
        assert await slack.calls("views.open") == []


async def test_a_preview_cannot_be_confirmed_once_its_channel_is_shared(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
        await slack.do("sharing", channel="#ops", is_pending_ext_shared=True)
        await otto.clicks("Confirm", on=preview)
        await otto.sees("shared with another organisation")
        await slack.do("sharing", channel="#ops", is_pending_ext_shared=False)
        await otto.clicks("Confirm", on=preview)
        await otto.sees_change(preview, "Cleared 1 row")
        kinds = [kind for kind, *_ in recorded(deployment)]
        assert kinds.count("refused") == 1
        assert kinds.count("started") == 1


@pytest.mark.parametrize("how", ["500", "429", "drop", "error"])
async def test_what_destroys_is_refused_while_slack_does_not_tell_and_a_look_is_whispered(
    slack: LocalSlack, sqlite_url: str, how: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await slack.fails("conversations.info", how, times=20)
        await otto.types(CLEAR, in_="#ops")
        await otto.sees("could not tell whether this channel is shared")
        await otto.types("/kb stats", in_="#ops")
        answer = await otto.sees("1 FAILURE")
        assert answer.is_ephemeral
        assert "could not tell whether another organisation" in answer.shown


async def test_an_answer_in_a_shared_channel_is_seen_by_who_asked_alone(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        ada, stefan = slack.person("ada"), slack.person("stefan")
        await ada.types("/kb stats", in_=SHARED)
        answer = await ada.sees("1 FAILURE")
        assert answer.is_ephemeral
        assert "Only you see this" in answer.shown
        assert await stefan.looks(in_=SHARED) == []


async def test_a_channel_that_several_workspaces_of_one_organisation_share_is_ours(
    slack: LocalSlack, sqlite_url: str
) -> None:
    await slack.do("sharing", channel="#ops", is_org_shared=True)
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        await otto.sees("1 FAILURE")
