"""People act on what is there, and on nothing else."""

import time
from collections.abc import Awaitable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.local_slack.conftest import connected
from tests.people import LocalSlack, local_slack
from tests.waiting import await_until

DIALOG = {
    "title": {"type": "plain_text", "text": "Revoke?"},
    "text": {"type": "plain_text", "text": "It stops now."},
    "confirm": {"type": "plain_text", "text": "Yes, revoke"},
    "deny": {"type": "plain_text", "text": "Keep it"},
}


TITLE = {"type": "plain_text", "text": "Clear"}
MODAL = {"type": "modal", "title": TITLE, "blocks": [{"type": "divider"}]}


def revoke(value: str, **more: Any) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Revoke"}
    button = {"type": "button", "text": label, "action_id": "revoke", "value": value, **more}
    return {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"task {value}"},
        "accessory": button,
    }


async def test_a_confirm_dialog_comes_before_the_click(
    app: AsyncApp, client: AsyncWebClient, slack: LocalSlack
) -> None:
    clicked: list[str] = []

    @app.action("revoke")
    async def revoked(ack: Any, action: Any) -> None:
        await ack()
        clicked.append(action["value"])

    blocks = [revoke("a", confirm=DIALOG), revoke("b", confirm=DIALOG)]
    await client.chat_postMessage(channel="#ops", text="two", blocks=blocks)
    otto = slack.person("otto")
    message = await otto.sees("task a", in_="#ops", ever=True)
    async with connected(app, slack):
        with pytest.raises(AssertionError, match="is there 2 times"):
            await otto.clicks("Revoke", on=message)
        with pytest.raises(AssertionError, match="a dialog asks 'It stops now"):
            await otto.clicks("Revoke", on=message, near="task b")
        await otto.clicks("Revoke", on=message, near="task a", answering="Keep it")
        await otto.clicks("Revoke", on=message, near="task b", answering="Yes, revoke")
    assert clicked == ["b"]


async def test_what_is_not_there_cannot_be_clicked(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    posted = await client.chat_postMessage(channel="#kb-audit", text="x", blocks=[revoke("a")])
    place = {"channel": posted["channel"], "ts": posted["ts"]}
    with pytest.raises(
        AssertionError, match="there is no element 'purge' to act on; there is revoke"
    ):
        await slack.do("click", user="otto", action_id="purge", **place)
    with pytest.raises(AssertionError, match="gus is not in #kb-audit"):
        await slack.do("click", user="gus", action_id="revoke", **place)
    with pytest.raises(AssertionError, match="the account of dora is deactivated"):
        await slack.do("click", user="dora", action_id="revoke", **place)
    with pytest.raises(AssertionError, match="nobody called 'mallory'"):
        await slack.do("click", user="mallory", action_id="revoke", **place)
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="done")
    with pytest.raises(AssertionError, match="there is nothing"):
        await slack.do("click", user="otto", action_id="revoke", **place)


async def test_a_click_in_flight_of_someone_just_deactivated_still_arrives(
    app: AsyncApp, client: AsyncWebClient, slack: LocalSlack
) -> None:
    clickers: list[str] = []

    @app.action("revoke")
    async def revoked(ack: Any, body: Any) -> None:
        await ack()
        clickers.append(body["user"]["id"])

    posted = await client.chat_postMessage(channel="#ops", text="x", blocks=[revoke("a")])
    await slack.do("person", user="otto", deleted=True)
    async with connected(app, slack):
        asked = {
            "channel": posted["channel"],
            "ts": posted["ts"],
            "action_id": "revoke",
            "user": "otto",
        }
        await slack.do("click", force=True, **asked)
    assert clickers == ["U0OTTO000"]
    assert (await client.users_info(user="U0OTTO000"))["user"]["deleted"]


async def test_menus_send_what_was_chosen_and_only_what_is_offered(
    app: AsyncApp, client: AsyncWebClient, slack: LocalSlack
) -> None:
    chosen: list[Any] = []

    @app.action("pick")
    async def picked(ack: Any, action: Any, body: Any) -> None:
        await ack()
        chosen.append((action["selected_option"]["value"], list(body["state"]["values"].values())))

    options = [
        {"text": {"type": "plain_text", "text": word}, "value": word.lower()}
        for word in ("Logs", "Retry")
    ]
    menu: dict[str, Any] = {"type": "static_select", "action_id": "pick", "options": options}
    menu["placeholder"] = {"type": "plain_text", "text": "What now?"}
    await client.chat_postMessage(
        channel="#ops", text="x", blocks=[{"type": "actions", "elements": [menu]}]
    )
    otto = slack.person("otto")
    message = await otto.sees("What now?", in_="#ops", ever=True)
    async with connected(app, slack):
        await otto.picks("Retry", in_="What now?", on=message)
        with pytest.raises(
            AssertionError, match="'Purge' is not offered; there is 'Logs', 'Retry'"
        ):
            await otto.picks("Purge", in_="What now?", on=message)
    assert chosen == [
        ("retry", [{"pick": {"type": "static_select", "selected_option": options[1]}}])
    ]


@pytest.mark.parametrize(("name", "channel"), [("stefan", "#shared-acme"), ("otto", "#ops")])
async def test_only_declared_commands_exist_and_not_for_strangers(
    slack: LocalSlack, name: str, channel: str
) -> None:
    line = "/kb stats" if name == "stefan" else "/deploy now"
    answer = await slack.person(name).types(line, in_=channel)
    assert answer["shown"].startswith(f"{line.split()[0]} is not a valid command.")
    assert not answer["delivered"]


async def test_commands_do_not_work_in_threads(client: AsyncWebClient, slack: LocalSlack) -> None:
    await client.chat_postMessage(channel="#ops", text="parent")
    otto = slack.person("otto")
    parent = await otto.sees("parent", in_="#ops", ever=True)
    assert (await otto.types("/kb stats", thread=parent))[
        "shown"
    ] == "/kb is not supported in threads. Sorry!"


async def test_a_response_url_works_five_times(app: AsyncApp, slack: LocalSlack) -> None:
    statuses: list[int] = []

    @app.command("/kb")
    async def chatty(ack: Any, respond: Any) -> None:
        await ack()
        for number in range(6):
            statuses.append((await respond(f"answer {number}")).status_code)

    async with connected(app, slack):
        otto = slack.person("otto")
        await otto.types("/kb stats")
        await otto.sees("answer 4")
        calls = [call["answer"] for call in await slack.calls("response_url")]
    assert calls[:5] == [{"ok": True}] * 5
    assert calls[5:] in ([], [{"ok": False, "error": "used_url"}])


async def test_a_trigger_opens_one_modal_within_its_time() -> None:
    async with local_slack(trigger_seconds=0.2, ack_seconds=0.05) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        socket = await slack.session.ws_connect((await open_socket(slack))["url"])
        await socket.receive_json()
        await slack.person("otto").types("/kb clear")
        trigger = (await socket.receive_json())["payload"]["trigger_id"]
        view = (await client.views_open(trigger_id=trigger, view=MODAL))["view"]
        await refused("exchanged_trigger_id", client.views_open(trigger_id=trigger, view=MODAL))
        await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
        await refused(
            "hash_conflict", client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
        )
        await slack.person("otto").types("/kb clear")
        late = (await socket.receive_json())["payload"]["trigger_id"]
        born = time.monotonic()
        await await_until(lambda: time.monotonic() - born > 0.2, what="the trigger's time passes")
        await refused("expired_trigger_id", client.views_open(trigger_id=late, view=MODAL))
        await socket.close()


async def open_socket(slack: LocalSlack) -> Any:
    return (
        await AsyncWebClient(token=slack.app_token, base_url=slack.api_url).api_call(
            "apps.connections.open"
        )
    ).data


async def refused(error: str, call: Awaitable[Any]) -> None:
    with pytest.raises(SlackApiError, match=error):
        await call
