"""What Slack sends, taken apart. Anything may be missing or of another kind: a payload is text from outside."""

import hashlib
import json
from dataclasses import dataclass

from bot.blocks.buttons import IN_THREAD
from bot.blocks.drawn import Json
from bot.messages import Place


@dataclass(frozen=True, kw_only=True)
class Click:
    """One use of a button or menu: who, where, on which message, and what it carries."""

    place: Place
    user_name: str
    event_id: str
    action_id: str
    value: str
    message: str


def part_of(body: Json, name: str) -> Json:
    """Return an object within a payload; an empty one where something else or nothing is."""
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def event_id_of(body: Json) -> str:
    """Return what makes this payload itself, the same each time that Slack delivers it."""
    for key in ("trigger_id", "event_id"):
        if body.get(key):
            return f"{key}:{body[key]}"
    packed = json.dumps(body, sort_keys=True, default=str).encode()
    return f"body:{hashlib.sha256(packed).hexdigest()}"


def origin_of(body: Json) -> dict[str, str]:
    """Return which workspace and organisation a payload says that it comes from, as far as it says so.

    An event names them where it was authorised (`authorizations`), a command flatly, a click as objects.
    """
    named = _first(body.get("authorizations")) or body
    team = (
        named.get("team_id")
        or part_of(body, "team").get("id")
        or part_of(body, "user").get("team_id")
    )
    enterprise = named.get("enterprise_id") or part_of(body, "enterprise").get("id")
    return {"team": str(team or ""), "enterprise": str(enterprise or "")}


def place_of_form(body: Json, carried: Json) -> Place:
    """Return where a form was asked for, which it carries, and who has filled it in."""
    user_id = str(part_of(body, "user").get("id") or "")
    return Place(
        channel=str(carried.get("channel") or user_id),
        user=user_id,
        thread=carried.get("thread") or None,
        response_url=str(carried.get("response_url") or ""),
        **origin_of(body),
    )


def place_of_command(body: Json) -> Place:
    """Return where a slash command was typed."""
    return Place(
        channel=str(body.get("channel_id") or body.get("user_id") or ""),
        user=str(body.get("user_id") or ""),
        thread=body.get("thread_ts") or None,
        response_url=str(body.get("response_url") or ""),
        **origin_of(body),
    )


def click_of(body: Json) -> Click:
    """Return a click. From the Home tab, which is no channel, answers go to the person directly."""
    user = part_of(body, "user")
    user_id = str(user.get("id") or "")
    container = part_of(body, "container")
    channel = part_of(body, "channel").get("id") or container.get("channel_id") or user_id
    message = part_of(body, "message")
    action = _first(body.get("actions"))
    return Click(
        place=Place(
            channel=str(channel),
            user=user_id,
            thread=_thread(action, message, container),
            response_url=str(body.get("response_url") or ""),
            **origin_of(body),
        ),
        user_name=str(user.get("name") or user.get("username") or ""),
        event_id=event_id_of(body),
        action_id=str(action.get("action_id") or ""),
        value=str(action.get("value") or part_of(action, "selected_option").get("value") or ""),
        message=str(message.get("ts") or container.get("message_ts") or ""),
    )


def _thread(action: Json, message: Json, container: Json) -> str | None:
    """Return the thread that the answer goes to: the message's, or the one below it where its button says so."""
    thread = message.get("thread_ts") or container.get("thread_ts")
    if not thread and str(action.get("action_id") or "").startswith(IN_THREAD):
        thread = message.get("ts") or container.get("message_ts")
    return str(thread) if thread else None


def _first(actions: object) -> Json:
    if isinstance(actions, list) and actions and isinstance(actions[0], dict):
        return actions[0]
    return {}
