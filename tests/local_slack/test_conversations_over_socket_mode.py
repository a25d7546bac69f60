"""A real slack_bolt app, unmodified, talks with people in the local Slack."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp

from tests.local_slack.conftest import connected
from tests.people import LocalSlack

BUTTON = {
    "type": "button",
    "text": {"type": "plain_text", "text": "Stop it"},
    "action_id": "stop",
    "value": "t-1",
}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*t-1* runs for 3 h"}}


def modal(**more: Any) -> dict[str, Any]:
    field = {"type": "plain_text_input", "action_id": "hours"}
    block = {
        "type": "input",
        "block_id": "age",
        "label": {"type": "plain_text", "text": "Hours"},
        "element": field,
    }
    title = {"type": "plain_text", "text": "Clear"}
    return {
        "type": "modal",
        "title": title,
        "submit": title,
        "blocks": [block],
        "callback_id": "clear",
        **more,
    }


async def test_a_command_is_answered_and_a_click_changes_the_message(
    app: AsyncApp, slack: LocalSlack
) -> None:
    @app.command("/kb")
    async def stuck(ack: Any, command: Any, client: Any) -> None:
        await ack()
        blocks = [SECTION, {"type": "actions", "elements": [BUTTON]}]
        await client.chat_postMessage(channel=command["channel_id"], text="1 stuck", blocks=blocks)

    @app.action("stop")
    async def stop(ack: Any, body: Any, client: Any) -> None:
        await ack()
        said = f"<@{body['user']['id']}> stopped {body['actions'][0]['value']}"
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text=said)

    async with connected(app, slack):
        otto, vera = slack.person("otto"), slack.person("vera")
        await otto.types("/kb stuck")
        message = await otto.sees("runs for 3 h")
        assert message.buttons == ["Stop it"]
        await vera.clicks("Stop it", on=message)
        stopped = await otto.sees("stopped t-1")
        assert stopped.buttons == []
        assert stopped.text == "<@U0VERA000> stopped t-1"


async def test_an_ephemeral_answer_is_seen_by_the_asker_alone(
    app: AsyncApp, slack: LocalSlack
) -> None:
    @app.command("/kb")
    async def secret(ack: Any, respond: Any) -> None:
        await ack("for you only")
        await respond("and this", response_type="in_channel")

    async with connected(app, slack):
        otto, vera = slack.person("otto"), slack.person("vera")
        await otto.types("/kb secret")
        assert (await otto.sees("for you only")).is_ephemeral
        await vera.sees("and this")
        await vera.does_not_see("for you only", because="it was said to Otto")


async def test_a_late_acknowledgement_shows_slacks_timeout_sentence(
    app: AsyncApp, slack: LocalSlack
) -> None:
    handled = asyncio.Event()

    @app.command("/kb")
    async def slow(ack: Any) -> None:
        await handled.wait()
        await ack("too late")

    async with connected(app, slack):
        otto = slack.person("otto")
        answer = await otto.types("/kb slow")
        assert answer["shown"] == '/kb failed with the error "operation_timeout"'
        await otto.sees("operation_timeout")
        handled.set()


async def test_with_no_app_connected_the_person_reads_that_it_failed(slack: LocalSlack) -> None:
    answer = await slack.person("otto").types("/kb stats")
    assert answer["shown"] == '/kb failed with the error "dispatch_failed"'


async def test_a_modal_is_filled_in_refused_and_accepted(app: AsyncApp, slack: LocalSlack) -> None:
    @app.command("/kb")
    async def ask(ack: Any, body: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    @app.view("clear")
    async def clear(ack: Any, view: Any, body: Any, client: Any) -> None:
        hours = view["state"]["values"]["age"]["hours"]["value"]
        if not hours.isdigit():
            await ack(response_action="errors", errors={"age": "a number, please"})
            return
        await ack()
        await client.chat_postMessage(channel=body["user"]["id"], text=f"cleared {hours}")

    async with connected(app, slack):
        otto = slack.person("otto")
        await otto.types("/kb clear")
        view = await otto.sees_modal("Clear")
        assert view.fields == ["Hours"]
        assert (await otto.submits(view, {"Hours": ""}))[
            "shown"
        ] == "Please complete this required field."
        assert (await otto.submits(view, {"Hours": "many"}))["errors"] == {
            "age": "a number, please"
        }
        await otto.submits(view, {"Hours": "24"})
        await otto.has_no_modal()
        await otto.sees("cleared 24", in_="app")


async def test_a_modal_changes_grows_and_is_cleared(app: AsyncApp, slack: LocalSlack) -> None:
    @app.command("/kb")
    async def ask(ack: Any, body: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    @app.view("clear")
    async def clear(ack: Any, view: Any) -> None:
        step = view["title"]["text"]
        title = {"type": "plain_text", "text": {"Clear": "Sure?", "Sure?": "Really?"}.get(step, "")}
        if step == "Really?":
            await ack(response_action="clear")
        else:
            await ack(
                response_action={"Clear": "update", "Sure?": "push"}[step], view=modal(title=title)
            )

    async with connected(app, slack):
        otto = slack.person("otto")
        await otto.types("/kb clear")
        for title in ("Clear", "Sure?", "Really?"):
            await otto.submits(await otto.sees_modal(title), {"Hours": "1"})
        await otto.has_no_modal()


async def test_closing_a_modal_is_told_only_where_it_asked_for_that(
    app: AsyncApp, slack: LocalSlack
) -> None:
    closed: list[str] = []

    @app.command("/kb")
    async def ask(ack: Any, body: Any, client: Any, command: Any) -> None:
        await ack()
        view = modal(notify_on_close=command["text"] == "told")
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view_closed("clear")
    async def gone(ack: Any, body: Any) -> None:
        await ack()
        closed.append(body["user"]["name"])

    async with connected(app, slack):
        otto = slack.person("otto")
        await otto.types("/kb quietly")
        assert not (await otto.closes(await otto.sees_modal("Clear")))["delivered"]
        await otto.types("/kb told")
        assert (await otto.closes(await otto.sees_modal("Clear")))["delivered"]
    assert closed == ["otto"]


async def test_the_home_tab_is_published_and_its_button_works(
    app: AsyncApp, slack: LocalSlack
) -> None:
    @app.event("app_home_opened")
    async def home(event: Any, client: Any) -> None:
        blocks = [SECTION, {"type": "actions", "elements": [BUTTON]}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.action("stop")
    async def stop(ack: Any, body: Any, client: Any) -> None:
        await ack()
        view = {
            "type": "home",
            "blocks": [{**SECTION, "text": {"type": "mrkdwn", "text": "nothing runs"}}],
        }
        await client.views_publish(user_id=body["user"]["id"], view=view, hash=body["view"]["hash"])

    async with connected(app, slack):
        otto = slack.person("otto")
        await otto.opens_home()
        await otto.clicks("Stop it", on=await otto.sees_home("runs for 3 h"))
        await otto.sees_home("nothing runs")
