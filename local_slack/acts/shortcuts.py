"""Global and message shortcuts, and typing into a menu whose options the app supplies."""

from local_slack.acts.choosing import element_of
from local_slack.acts.clicks import open_view
from local_slack.acts.payloads import channel_part, common
from local_slack.acts.standing import awake, who_and_where
from local_slack.errors import NotPossible
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.workspace import Person


async def shortcut(slack: Slack, asked: Json) -> Json:
    """Use a shortcut of the manifest by `callback_id`; a message shortcut needs channel and ts."""
    declared = {item.callback_id: item for item in slack.manifest.shortcuts}
    wanted = declared.get(str(asked.get("callback_id")))
    if wanted is None:
        raise NotPossible(f"the manifest has no shortcut {asked.get('callback_id')!r}")
    if wanted.kind == "global":
        person = awake(slack, asked)
        payload = common(slack, "shortcut", person)
    else:
        person, channel = who_and_where(slack, asked)
        message = channel.find(str(asked.get("ts")))
        if message is None or not channel.sees(person.id, message):
            raise NotPossible(f"{person.name} sees no such message")
        key = slack.hooks.new(channel.id, person.id, message.ts)
        payload = common(slack, "message_action", person) | {
            "channel": channel_part(channel),
            "message": message.as_json(),
            "message_ts": message.ts,
            "response_url": f"{slack.base_url}/actions/{slack.workspace.team_id}/{key}",
        }
    payload |= {"callback_id": wanted.callback_id, "trigger_id": slack.triggers.new(person.id)}
    payload["action_ts"] = slack.conversations.next_ts()
    outcome = await slack.courier.send("interactive", payload, accepts_answer=False)
    return {**outcome.as_json(), "shown": None}


async def suggest(slack: Slack, asked: Json) -> Json:
    """Ask the app for options while a person types `value` into an external select."""
    person, blocks, where = _surface(slack, asked)
    typed = str(asked.get("value") or "")
    block, element = element_of(blocks, {**asked, "value": None})
    if len(typed) < element.get("min_query_length", 3):
        return {"delivered": False, "shown": None, "options": []}
    payload = common(slack, "block_suggestion", person) | where
    payload |= {"action_id": element["action_id"], "block_id": block["block_id"], "value": typed}
    outcome = await slack.courier.send("interactive", payload)
    answer = outcome.answer or {}
    offered = answer.get("options") or answer.get("option_groups") or []
    return {**outcome.as_json(), "shown": None, "options": offered}


def _surface(slack: Slack, asked: Json) -> tuple[Person, list[Json], Json]:
    """Who types, into which blocks, and how the payload names the place."""
    if asked.get("view_id"):
        person = awake(slack, asked)
        view = open_view(slack, person, asked)
        named: Json = {
            "view": slack.view_json(view),
            "container": {"type": "view", "view_id": view.id},
        }
        return person, view.source["blocks"], named
    person, channel = who_and_where(slack, asked)
    message = channel.find(str(asked.get("message_ts") or asked.get("ts")))
    if message is None or not channel.sees(person.id, message):
        raise NotPossible(f"{person.name} sees no such message")
    container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    named = {"channel": channel_part(channel), "message": message.as_json(), "container": container}
    return person, message.blocks or [], named
