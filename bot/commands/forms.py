"""Forms: opened by a bare word that needs more, and sent back filled in, which goes the road of typed words."""

import json
from functools import partial

import structlog

from bot.blocks.drawn import Json
from bot.blocks.form import form_view, has_form, understood_form
from bot.blocks.problem import note_message
from bot.commands.admission import admitted, told
from bot.commands.conversation import carry_on
from bot.commands.payloads import event_id_of, part_of, place_of_form
from bot.desk import Desk
from bot.messages import Place
from bot.slack_api import Refusal, TooFast, Unreached
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.operation import AnyOperation, Arguments
from knowledge_base_agent.phone_text import split, straighten
from knowledge_base_agent.requests import Request

log = structlog.get_logger()


def form_for(words: str) -> AnyOperation | None:
    """Return the operation that a form should be opened for: its name alone was written, and it wants more."""
    found = split(straighten(words))
    name = " ".join(found).lower()
    named = (one for one in OPERATIONS if name in (one.name, *one.aliases))
    operation = next(named, None)
    return operation if operation is not None and has_form(operation) else None


async def opened(
    desk: Desk, place: Place, operation: AnyOperation, *, trigger: str, user_name: str
) -> bool:
    """Open a form for somebody who may use it; False where Slack does not open it. Raises `Refused`.

    Slack takes a trigger for three seconds after the person's act, so nothing slow may come before.
    """
    actor = await desk.people.actor(place, fresh=True, name=user_name)
    desk.runner.admit(
        Request(
            actor=actor,
            operation=operation,
            arguments=Arguments(),
            words=operation.name,
            place=place.channel,
        )
    )
    carried = {
        "operation": operation.name,
        "channel": place.channel,
        "thread": place.thread,
        "response_url": place.response_url,
    }
    try:
        await desk.messages.open_form(trigger, form_view(operation, carried=json.dumps(carried)))
    except (Refusal, TooFast, Unreached) as error:
        log.info("a form could not be opened", operation=operation.name, reason=str(error))
        return False
    return True


def submitted(desk: Desk, body: Json) -> dict[str, str]:
    """Take a filled-in form. Returns at once: what is wrong, by field, or nothing when the work has begun."""
    view = part_of(body, "view")
    carried = _carried(view)
    user = part_of(body, "user")
    operation = next((one for one in OPERATIONS if one.name == carried.get("operation")), None)
    if operation is None:
        outdated(desk, body)
        return {}
    understood = understood_form(operation, part_of(part_of(view, "state"), "values"))
    place, name = place_of_form(body, carried), str(user.get("name") or user.get("username") or "")
    if isinstance(
        understood, dict
    ):  # whoever may not even look hears that, below what they filled in
        refused = partial(admitted, desk, place, operation.name, user_name=name)
        desk.begin(place, event_id_of(body), refused)
        return understood
    desk.begin(place, event_id_of(body), partial(carry_on, desk, place, understood, user_name=name))
    return {}


def outdated(desk: Desk, body: Json) -> None:
    """Take a form that no code of today knows, such as one opened before an update. Returns at once."""
    view = part_of(body, "view")
    log.warning("a form of an older version", callback=view.get("callback_id"))
    said = note_message(
        "I don't know this form: it may be of an older version. Ask again with `/kb`."
    )
    told(desk, place_of_form(body, _carried(view)), event_id_of(body), "an unknown form", said)


def _carried(view: Json) -> Json:
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
