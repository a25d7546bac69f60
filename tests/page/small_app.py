"""A small real Slack app, of slack_bolt, that answers on the page: it opens a form, refuses a value, notes clicks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slackblocks import AlertBlock, InputBlock, Modal, NumberInput, PlainTextInput

from tests.waiting import wait_until

Json = dict[str, Any]


@dataclass(kw_only=True)
class SmallApp:
    """The app's client, and what it heard."""

    client: WebClient
    commands: list[str] = field(default_factory=list)
    clicks: list[Json] = field(default_factory=list)
    submitted: list[Json] = field(default_factory=list)

    def posts(self, text: str, blocks: list[Json] | None = None, **more: Any) -> Json:
        """Post to #ops; returns {channel, ts}."""
        answer = self.client.chat_postMessage(channel="C0OPS0000", text=text, blocks=blocks, **more)
        return {"channel": str(answer["channel"]), "ts": str(answer["ts"])}


@contextmanager
def small_app(base_url: str, state: Json) -> Iterator[SmallApp]:
    """The app, connected over Socket Mode to the local Slack."""
    client = WebClient(token=state["bot_token"], base_url=f"{base_url}/api/")
    heard = SmallApp(client=client)
    handler: Any = SocketModeHandler(_bolt(client, heard), state["app_token"], web_client=client)
    handler.connect()
    try:
        wait_until(handler.client.is_connected, what="the app connects")
        yield heard
    finally:
        handler.close()


def _bolt(client: WebClient, heard: SmallApp) -> App:
    app = App(client=client, signing_secret="unused over Socket Mode")

    @app.command("/kb")
    def command(ack: Any, body: Json) -> None:
        heard.commands.append(body["text"])
        if body["text"] != "form":
            ack(f"I heard {body['text']}")
        else:
            ack()
            client.views_open(trigger_id=body["trigger_id"], view=_form())

    @app.action("revoke")
    def click(ack: Any, action: Json) -> None:
        ack()
        heard.clicks.append(action)

    @app.view("form")
    def submit(ack: Any, view: Json) -> None:
        values = view["state"]["values"]
        if float(values["age"]["hours"]["value"]) > 100:
            ack(response_action="errors", errors={"age": "At most 100 hours are kept."})
        else:
            ack()
            heard.submitted.append(values)

    return app


def _form() -> Json:
    hours = NumberInput(is_decimal_allowed=False, action_id="hours", initial_value="24")
    why = PlainTextInput(action_id="words", multiline=True)
    blocks = [
        AlertBlock("Rows are removed *for good*.", level="warning", block_id="alert"),
        InputBlock(label="Older than (hours)", element=hours, block_id="age"),
        InputBlock(label="Reason", element=why, block_id="why"),
    ]
    shown: Json = Modal("Clear tasks", blocks, submit="Preview", callback_id="form").to_dict()
    return shown
