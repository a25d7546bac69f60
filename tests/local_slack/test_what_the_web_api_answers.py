"""What the Web API says when a call is right."""

from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.people import LocalSlack


async def test_people_have_the_marks_by_which_an_app_tells_them_apart(
    client: AsyncWebClient,
) -> None:
    async def marks(user: str) -> set[str]:
        person = (await client.users_info(user=user))["user"]
        return {mark for mark, value in person.items() if value is True}

    assert await marks("U0ADA0000") == {"is_admin"}
    assert await marks("U0OTTO000") == set()
    assert await marks("U0GUS0000") == {"is_restricted"}
    assert await marks("U0SINA000") == {"is_restricted", "is_ultra_restricted"}
    assert await marks("U0DORA000") == {"deleted"}
    assert await marks("U0STEFAN0") == {"is_stranger"}
    assert await marks("U0FLOW000") == {"is_bot", "is_workflow_bot"}
    assert (await client.users_info(user="U0STEFAN0"))["user"]["team_id"] == "T0OTHER00"
    listed = [person["id"] for person in (await client.users_list())["members"]]
    assert "U0STEFAN0" not in listed
    assert "U0DORA000" in listed


async def test_user_groups_and_their_members_are_listed_and_change(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    groups = (await client.usergroups_list())["usergroups"]
    assert {group["handle"]: group["id"] for group in groups}["oncall"] == "S0ONCALL0"
    await slack.do("group", group="@oncall", users=["vera"])
    assert (await client.usergroups_users_list(usergroup="S0ONCALL0"))["users"] == ["U0VERA000"]


async def test_channels_are_listed_page_by_page_without_those_that_are_secret(
    client: AsyncWebClient,
) -> None:
    names, cursor = [], ""
    while True:
        page = await client.conversations_list(
            types="public_channel,private_channel", limit=2, cursor=cursor
        )
        names += [channel["name"] for channel in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert names == ["ops", "kb-audit", "kb-alerts", "random", "shared-acme", "old-incidents"]
    mine = (await client.users_conversations(exclude_archived=True))["channels"]
    assert [channel["name"] for channel in mine] == ["ops", "kb-audit", "kb-alerts", "shared-acme"]
    assert (await client.conversations_info(channel="C0SHARED0"))["channel"]["is_ext_shared"]
    assert "U0STEFAN0" in (await client.conversations_members(channel="C0SHARED0"))["members"]


async def test_the_app_learns_who_it_is_and_which_scopes_it_has(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (
        "T0ACME000",
        "U0KBBOT00",
        "B0KBONCALL",
    )
    assert "chat:write" in answer.headers["X-OAuth-Scopes"].split(",")


async def test_answers_in_a_thread_are_counted_on_its_parent(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    parent = await client.chat_postMessage(channel="#ops", text="parent")
    first = await client.chat_postMessage(channel="#ops", text="one", thread_ts=parent["ts"])
    await client.chat_postMessage(channel="#ops", text="two", thread_ts=first["ts"])
    seen = await slack.person("otto").looks(in_="#ops")
    assert [(message.text, message.thread_ts) for message in seen] == [
        ("parent", None),
        ("one", parent["ts"]),
        ("two", parent["ts"]),
    ]
    assert seen[0].source["reply_count"] == 2


async def test_a_file_is_uploaded_into_a_channel_and_can_be_read(
    client: AsyncWebClient, slack: LocalSlack, tmp_path: Path
) -> None:
    log = tmp_path / "task.log"
    log.write_text("Traceback …")
    await client.files_upload_v2(
        file=str(log), channel="C0OPS0000", title="The log", initial_comment="Here it is"
    )
    message = await slack.person("otto").sees("Here it is", in_="#ops")
    assert [file["title"] for file in message.files] == ["The log"]
    async with slack.session.get(message.files[0]["url"]) as download:
        assert await download.text() == "Traceback …"
        assert download.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("user", ["U0OTTO000", "U0VERA000"])
async def test_a_message_to_a_person_reaches_that_person_alone(
    client: AsyncWebClient, slack: LocalSlack, user: str
) -> None:
    opened = await client.conversations_open(users=[user])
    await client.chat_postMessage(channel=opened["channel"]["id"], text="psst")
    for name, id_ in (("otto", "U0OTTO000"), ("vera", "U0VERA000")):
        seen = [message.text for message in await slack.person(name).looks(in_="app")]
        assert seen == (["psst"] if id_ == user else [])


async def test_people_outside_a_channel_see_nothing_of_it(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    await client.chat_postMessage(channel="#kb-audit", text="Otto asked for stats")
    assert [message.text for message in await slack.person("vera").looks(in_="#kb-audit")] == [
        "Otto asked for stats"
    ]
    for outsider in ("gus", "stefan"):
        assert await slack.person(outsider).looks(in_="#kb-audit") == []
