"""The Web API is as strict as Slack's: tokens, scopes, channels, texts, arguments."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.people import LocalSlack

LONG = "x" * 12_001
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("no.such.method", {}, "unknown_method"),
    ("chat.postMessage", {"channel": "C0NOWHERE", "text": "hi"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "#random", "text": "hi"}, "not_in_channel"),
    ("chat.postMessage", {"channel": "G0SECRET0", "text": "hi"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "#old-incidents", "text": "hi"}, "is_archived"),
    ("chat.postMessage", {"channel": "#ops"}, "no_text"),
    ("chat.postMessage", {"channel": "#ops", "text": LONG}, "msg_too_long"),
    ("chat.postMessage", {"channel": "#ops", "text": "x", "thread_ts": "1.2"}, "thread_not_found"),
    ("chat.postMessage", {"channel": "#ops", "blocks": "[{"}, "invalid_blocks_format"),
    (
        "chat.postMessage",
        {"channel": "#ops", "text": "x", "metadata": {"a": 1}},
        "invalid_metadata_schema",
    ),
    (
        "chat.postMessage",
        {"channel": "#ops", "text": "x", "markdown_text": "y"},
        "markdown_text_conflict",
    ),
    ("chat.postMessage", {"channel": "U0DORA000", "text": "hi"}, "user_disabled"),
    (
        "chat.postEphemeral",
        {"channel": "#kb-audit", "user": "U0GUS0000", "text": "x"},
        "user_not_in_channel",
    ),
    ("chat.update", {"channel": "#ops", "ts": "1.2", "text": "x"}, "message_not_found"),
    ("chat.delete", {"channel": "#ops", "ts": "1.2"}, "message_not_found"),
    ("chat.getPermalink", {"channel": "#ops", "message_ts": "1.2"}, "message_not_found"),
    ("users.info", {"user": "U0NOBODY0"}, "user_not_found"),
    ("users.info", {}, "invalid_arguments"),
    ("usergroups.users.list", {"usergroup": "S0NOTHING"}, "no_such_subteam"),
    ("conversations.info", {"channel": "C0NOWHERE"}, "channel_not_found"),
    ("conversations.list", {"types": "public_channel,castle"}, "invalid_types"),
    ("conversations.list", {"cursor": "abc"}, "invalid_cursor"),
    ("conversations.list", {"limit": "0"}, "invalid_limit"),
    ("conversations.list", {"types": "im"}, "missing_scope"),
    ("conversations.history", {"channel": "C0OPS0000"}, "missing_scope"),
    ("conversations.replies", {"channel": "C0OPS0000", "ts": "1.2"}, "missing_scope"),
    ("conversations.open", {"users": "U0NOBODY0"}, "user_not_found"),
    ("conversations.open", {"users": "U0FLOW000"}, "cannot_dm_bot"),
    (
        "reactions.add",
        {"channel": "C0OPS0000", "name": "eyes", "timestamp": "1.2"},
        "missing_scope",
    ),
    ("team.info", {}, "missing_scope"),
    ("bots.info", {"bot": "B0NOBODY0"}, "bot_not_found"),
    ("views.open", {"trigger_id": "1.2.a", "view": {"type": "modal"}}, "invalid_arguments"),
    ("views.update", {"view_id": "VNOTHING0", "view": {}}, "not_found"),
    (
        "views.publish",
        {"user_id": "U0NOBODY0", "view": {"type": "home", "blocks": []}},
        "invalid_arguments",
    ),
    (
        "files.getUploadURLExternal",
        {"filename": "a.txt", "length": "0"},
        "file_upload_size_restricted",
    ),
    ("files.completeUploadExternal", {"files": [{"id": "F0NOTHING"}]}, "file_not_found"),
    ("apps.connections.open", {}, "not_allowed_token_type"),
]
ONLY_FORMS = ("users.", "conversations.", "usergroups.", "bots.", "team.", "files.get", "chat.getP")


@pytest.mark.parametrize(("method", "arguments", "error"), REFUSALS)
async def test_a_wrong_call_gets_slacks_error(
    client: AsyncWebClient, method: str, arguments: dict[str, Any], error: str
) -> None:
    given: Any = {"params": arguments} if method.startswith(ONLY_FORMS) else {"json": arguments}
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, **given)
    assert refused.value.response["error"] == error


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (None, "not_authed"),
        ("xoxb-of-another-app", "invalid_auth"),
        ("app", "not_allowed_token_type"),
    ],
)
async def test_a_token_that_is_missing_unknown_or_of_the_wrong_kind_is_refused(
    slack: LocalSlack, token: str | None, error: str
) -> None:
    stranger = AsyncWebClient(
        token=slack.app_token if token == "app" else token, base_url=slack.api_url
    )
    with pytest.raises(SlackApiError) as refused:
        await stranger.chat_postMessage(channel="#ops", text="hi")
    assert refused.value.response["error"] == error


async def test_a_missing_scope_names_what_is_needed_and_what_there_is(
    client: AsyncWebClient,
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.team_info()
    assert refused.value.response["needed"] == "team:read"
    assert "chat:write" in refused.value.response["provided"].split(",")


async def test_a_method_that_reads_forms_ignores_json(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call("users.info", json={"user": "U0ADA0000"})
    assert refused.value.response["error"] == "invalid_arguments"


async def test_only_own_messages_can_be_changed_and_updates_are_shorter(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    otto = slack.person("otto")
    await otto.types("mine", in_="#ops")
    theirs = await otto.sees("mine", ever=True)
    own = await client.chat_postMessage(channel="#ops", text="ours")
    for method, ts, text, error in [
        ("chat.update", theirs.ts, "x", "cant_update_message"),
        ("chat.delete", theirs.ts, "x", "cant_delete_message"),
        ("chat.update", own["ts"], "x" * 4_001, "msg_too_long"),
    ]:
        with pytest.raises(SlackApiError) as refused:
            await client.api_call(method, json={"channel": own["channel"], "ts": ts, "text": text})
        assert refused.value.response["error"] == error


async def test_failures_on_request_look_like_slacks(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    await slack.fails("chat.postMessage", "429", retry_after=7)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="#ops", text="one")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"
    await slack.fails("chat.postMessage", "error", error="fatal_error")
    with pytest.raises(SlackApiError, match="fatal_error"):
        await client.chat_postMessage(channel="#ops", text="two")
    await slack.fails("chat.postMessage", "500")
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="#ops", text="three")
    await client.chat_postMessage(channel="#ops", text="four")
    assert [message.text for message in await slack.person("otto").looks(in_="#ops")] == ["four"]


async def test_a_connection_that_drops_after_the_post_makes_the_sdk_post_twice(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    await slack.fails("chat.postMessage", "drop_after")
    await client.chat_postMessage(channel="#ops", text="once, I thought")
    seen = await slack.person("otto").looks(in_="#ops")
    assert [message.text for message in seen] == ["once, I thought", "once, I thought"]


async def test_more_than_one_message_a_second_is_too_many_when_that_is_switched_on(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    await slack.do("limits", posts=True)
    await client.chat_postMessage(channel="#ops", text="one")
    with pytest.raises(SlackApiError, match="ratelimited") as refused:
        await client.chat_postMessage(channel="#ops", text="two")
    assert refused.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="#kb-audit", text="another channel")
