"""Clicking a button or choosing from a menu, in a message, a modal or the Home tab."""

from local_slack.acts.choosing import chosen, described, element_of
from local_slack.acts.payloads import channel_part, common
from local_slack.acts.standing import awake, who_and_where
from local_slack.errors import NotPossible
from local_slack.messages import Channel, Message
from local_slack.posting import notice
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.views import View
from local_slack.workspace import Person

SILENT = "That didn’t work: the app did not answer in time. Try again?"


async def click(slack: Slack, asked: Json) -> Json:
    """Act on what is there now. With a `confirm` dialog and no `confirmed`, only the dialog is shown."""
    if asked.get("view_id"):
        return await _click_in_view(slack, asked)
    person, channel = who_and_where(slack, asked)
    ts = str(asked.get("message_ts") or asked.get("ts") or "")
    message = channel.find(ts)
    if message is None or not (channel.sees(person.id, message) or asked.get("force")):
        raise NotPossible(f"{person.name} sees no message {ts} in #{channel.name}")
    block, element = element_of(message.blocks, asked)
    if "confirm" in element and not asked.get("confirmed"):
        return {"delivered": False, "shown": None, "confirm": element["confirm"]}
    value = chosen(element, asked.get("selected"))
    if value is not None and element["type"] != "overflow":
        message.state.setdefault(block["block_id"], {})[element["action_id"]] = value
    action = described(block, element, value, slack.conversations.next_ts())
    return await _send(
        slack, person, _from_message(slack, person, channel, message, action), channel
    )


async def _click_in_view(slack: Slack, asked: Json) -> Json:
    person = awake(slack, asked)
    view = open_view(slack, person, asked)
    block, element = element_of(view.source["blocks"], asked)
    if "confirm" in element and not asked.get("confirmed"):
        return {"delivered": False, "shown": None, "confirm": element["confirm"]}
    value = chosen(element, asked.get("selected"))
    if value is not None and element["type"] != "overflow":
        view.state.setdefault(block["block_id"], {})[element["action_id"]] = value
    if block["type"] == "input" and not block.get("dispatch_action"):
        return {"delivered": False, "shown": None, "kept": True}
    action = described(block, element, value, slack.conversations.next_ts())
    payload = common(slack, "block_actions", person) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": slack.triggers.new(person.id),
        "view": slack.view_json(view),
        "actions": [action],
    }
    return await _send(slack, person, payload, None)


def open_view(slack: Slack, person: Person, asked: Json) -> View:
    """The person's own open view of that id; of modals only the topmost can be acted on."""
    view = slack.views.find(str(asked["view_id"]))
    if view is None or view.user != person.id:
        raise NotPossible(f"{person.name} has no open view {asked['view_id']}")
    stack = slack.views.stack(person.id)
    if view.kind == "modal" and stack and stack[-1] is not view:
        raise NotPossible("another modal lies on top of this one")
    return view


def _from_message(
    slack: Slack, person: Person, channel: Channel, message: Message, action: Json
) -> Json:
    ephemeral = message.ephemeral_to is not None
    key = slack.hooks.new(channel.id, person.id, message.ts, message.thread_ts)
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = common(slack, "block_actions", person) | {
        "container": container,
        "trigger_id": slack.triggers.new(person.id),
        "channel": channel_part(channel),
        "state": {"values": message.state},
        "response_url": f"{slack.base_url}/actions/{slack.workspace.team_id}/{key}",
        "actions": [action],
    }
    if not ephemeral:  # of an ephemeral message the payload has only the container
        payload["message"] = message.as_json()
    return payload


async def _send(slack: Slack, person: Person, payload: Json, channel: Channel | None) -> Json:
    if not slack.manifest.interactivity:
        raise NotPossible("the manifest has interactivity off")
    outcome = await slack.courier.send("interactive", payload, accepts_answer=False)
    if outcome.acknowledged:
        return {**outcome.as_json(), "shown": None}
    if channel is not None:
        notice(slack, channel, person.id, SILENT)
    return {**outcome.as_json(), "shown": SILENT}
