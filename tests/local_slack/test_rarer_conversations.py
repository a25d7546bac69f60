"""Shortcuts, menus that the app fills, response URLs on clicked messages, and workspaces that lack a block."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.local_slack.conftest import connected
from tests.people import LocalSlack, local_slack

MANIFEST = Path(__file__).parents[2] / "app_manifest.yaml"


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def row(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": list(elements)}]


def button(label: str) -> dict[str, Any]:
    return {"type": "button", "text": plain(label), "action_id": label.lower()}


async def test_a_message_shortcut_tells_the_app_which_message(tmp_path: Path) -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    declared = {
        "name": "Look",
        "type": "message",
        "callback_id": "look",
        "description": "Look at this",
    }
    manifest["features"]["shortcuts"] = [declared]
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest))
    seen: list[str] = []
    async with local_slack(manifest=path) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        app = AsyncApp(client=client, signing_secret=slack.signing_secret)

        @app.shortcut("look")
        async def look(ack: Any, body: Any) -> None:
            await ack()
            seen.append(f"{body['user']['name']}: {body['message']['text']}")

        await slack.person("vera").types("worker 3 is down")
        message = await slack.person("otto").sees("worker 3", in_="#ops")
        async with connected(app, slack):
            place = {"channel": message.channel, "ts": message.ts}
            await slack.do("shortcut", user="otto", callback_id="look", **place)
            with pytest.raises(AssertionError, match="no shortcut 'other'"):
                await slack.do("shortcut", user="otto", callback_id="other", **place)
    assert seen == ["otto: worker 3 is down"]


async def test_a_menu_is_filled_by_the_app_once_enough_is_typed(
    app: AsyncApp, client: AsyncWebClient, slack: LocalSlack
) -> None:
    @app.options("queue")
    async def queues(ack: Any, payload: Any) -> None:
        names = [name for name in ("celery", "agent") if name.startswith(payload["value"])]
        await ack(options=[{"text": plain(name), "value": name} for name in names])

    menu = {
        "type": "external_select",
        "action_id": "queue",
        "min_query_length": 2,
        "placeholder": plain("Queue"),
    }
    posted = await client.chat_postMessage(channel="#ops", text="which?", blocks=row(menu))
    asked = {"user": "otto", "channel": posted["channel"], "ts": posted["ts"], "action_id": "queue"}
    async with connected(app, slack):
        assert (await slack.do("suggest", value="c", **asked))["options"] == []
        offered = (await slack.do("suggest", value="ce", **asked))["options"]
    assert [option["value"] for option in offered] == ["celery"]


async def test_a_clicked_message_is_replaced_deleted_or_answered_over_its_response_url(
    app: AsyncApp, client: AsyncWebClient, slack: LocalSlack
) -> None:
    answers: dict[str, dict[str, Any]] = {
        "replace": {"text": "replaced", "replace_original": True},
        "delete": {"delete_original": True},
        "answer": {"text": "an answer"},
    }

    async def responds(ack: Any, respond: Any, action: Any) -> None:
        await ack()
        await respond(**answers[action["action_id"]])

    for action_id in answers:
        app.action(action_id)(responds)
        await client.chat_postMessage(
            channel="#ops", text=action_id, blocks=row(button(action_id.title()))
        )
    otto = slack.person("otto")
    async with connected(app, slack):
        for action_id in answers:
            message = await otto.sees(action_id, in_="#ops", ever=True)
            await otto.clicks(action_id.title(), on=message)
        assert (await otto.sees("an answer")).is_ephemeral
        assert [message.text for message in await otto.looks()] == [
            "replaced",
            "answer",
            "an answer",
        ]


async def test_a_workspace_that_does_not_know_a_block_refuses_the_message(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    cells = [[{"type": "raw_text", "text": "x"}]] * 2
    blocks = [{"type": "data_table", "caption": "Tasks", "rows": cells}]
    await client.chat_postMessage(channel="#ops", text="before", blocks=blocks)
    await slack.do("refuse_block", type="data_table")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="#ops", text="after", blocks=blocks)
    assert refused.value.response["error"] == "invalid_blocks"
    told = refused.value.response["response_metadata"]["messages"]
    assert told == ["[ERROR] unsupported type: data_table [json-pointer:/blocks/0/type]"]
    assert (await slack.person("otto").sees("x", in_="#ops", ever=True)).rows == [["x"], ["x"]]


async def test_the_app_can_be_taken_out_of_a_channel(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    await slack.do("membership", user="kb", channel="#kb-audit", member=False)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel="#kb-audit", text="hi")
    await slack.do("membership", user="kb", channel="#kb-audit", member=True)
    await client.chat_postMessage(channel="#kb-audit", text="hi")


async def test_a_page_of_another_origin_cannot_act_here(slack: LocalSlack) -> None:
    asked = {"user": "otto", "channel": "#ops", "text": "/kb clear"}
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        async with slack.session.post(
            f"{slack.base_url}/control/command", json=asked, headers=headers
        ) as refused:
            assert refused.status == 403
    async with slack.session.get(
        f"{slack.base_url}/control/state", headers={"Origin": slack.base_url}
    ) as own:
        assert own.status == 200


async def test_a_response_url_fails_on_request(app: AsyncApp, slack: LocalSlack) -> None:
    statuses: list[int] = []

    @app.command("/kb")
    async def heard(ack: Any, respond: Any) -> None:
        await ack()
        statuses.append((await respond("lost")).status_code)
        await respond("found")

    await slack.fails("response_url", "500")
    async with connected(app, slack):
        otto = slack.person("otto")
        await otto.types("/kb stats")
        await otto.sees("found")
        await otto.does_not_see("lost", because="that answer failed")
    assert statuses == [500]
