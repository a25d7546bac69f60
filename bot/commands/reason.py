"""A reason, where two people are needed and none was stated: a small form, whose words go the road of typed words."""

import json
import shlex
from functools import partial

from bot.blocks.buttons import words_in
from bot.blocks.drawn import Json
from bot.blocks.two_people import GLASS, REASON, VALUE, reason_view
from bot.commands.conversation import converse
from bot.commands.payloads import Click, click_of, event_id_of, part_of, place_of_form
from bot.desk import Desk
from knowledge_base_agent.operations.stated import read_reason
from knowledge_base_agent.requests import Request
from knowledge_base_agent.understand import understand


def clicked(desk: Desk, body: Json) -> None:
    """Take a click on “State a reason”. Returns at once; Slack takes the trigger for three seconds."""
    click = click_of(body)
    words = words_in(click.value)
    if words is None:
        return
    carried = {
        "words": words,
        "channel": click.place.channel,
        "thread": click.place.thread,
        "response_url": click.place.response_url,
    }
    view = reason_view(words, carried=json.dumps(carried), delay=desk.settings.break_glass_after)
    trigger = str(body.get("trigger_id") or "")
    desk.begin(click.place, click.event_id, partial(_open, desk, click, words, view, trigger))


async def _open(desk: Desk, click: Click, words: str, view: Json, trigger: str) -> None:
    """Open the form for somebody who may ask for the operation: nobody states a reason only to be refused."""
    understood = understand(words)
    actor = await desk.people.actor(click.place, fresh=True, name=click.user_name)
    request = Request(
        actor=actor,
        operation=understood.operation,
        arguments=understood.arguments,
        words=understood.words,
        place=click.place.channel,
    )
    desk.runner.admit(request)
    await desk.messages.open_form(trigger, view)


def submitted(desk: Desk, body: Json) -> dict[str, str]:
    """Take a stated reason. Returns at once: what is wrong with it, or nothing when its preview is on its way."""
    view = part_of(body, "view")
    values = part_of(part_of(view, "state"), "values")
    try:
        reason = read_reason(str(_field(values, REASON).get("value") or ""))
    except ValueError as error:
        return {REASON: f"Give {error}."}
    carried, user = _carried(view), part_of(body, "user")
    place = place_of_form(body, carried)
    flag = "--break-glass" if _field(values, GLASS).get("selected_options") else "--reason"
    words = f"{carried.get('words') or ''} {flag}={shlex.quote(reason)}"
    name = str(user.get("name") or user.get("username") or "")
    desk.begin(place, event_id_of(body), partial(converse, desk, place, words, user_name=name))
    return {}


def _field(values: Json, block: str) -> Json:
    return part_of(part_of(values, block), VALUE)


def _carried(view: Json) -> Json:
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
