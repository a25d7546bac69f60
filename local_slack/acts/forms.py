"""Submitting and closing modals."""

import re
from typing import Any

from local_slack.acts.choosing import chosen
from local_slack.acts.clicks import open_view
from local_slack.acts.payloads import common
from local_slack.acts.standing import awake
from local_slack.blocks.parts import VALUE_KEYS, interactive
from local_slack.blocks.views import check_view
from local_slack.delivery.parcel import Outcome
from local_slack.errors import NotPossible, Refusal
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.views import View
from local_slack.web.views import tell_view
from local_slack.workspace import Person

TROUBLE = "We had some trouble connecting. Try again?"


async def submit(slack: Slack, asked: Json) -> Json:
    """Press a modal's submit button. `values` is block id → action id → what was filled in."""
    person = awake(slack, asked)
    view = open_view(slack, person, asked)
    if "submit" not in view.source:
        raise NotPossible("this modal has no submit button")
    _fill_in(view, asked.get("values") or {})
    errors = missing(view)
    if errors:
        _tell_errors(slack, view, errors)
        return {
            "delivered": False,
            "acked_in_ms": None,
            "shown": next(iter(errors.values())),
            "errors": errors,
        }
    payload = common(slack, "view_submission", person) | {
        "trigger_id": slack.triggers.new(person.id),
        "view": slack.view_json(view),
        "response_urls": [],
    }
    outcome = await slack.courier.send("interactive", payload)
    return _after(slack, person, view, outcome)


def _fill_in(view: View, values: Json) -> None:
    for block, element in interactive(view.source["blocks"]):
        given = values.get(block["block_id"], {})
        if element["action_id"] in given and element["type"] in VALUE_KEYS:
            value = chosen(element, given[element["action_id"]])
            if value is not None:
                view.state.setdefault(block["block_id"], {})[element["action_id"]] = value
    known = {
        (block["block_id"], element["action_id"])
        for block, element in interactive(view.source["blocks"])
    }
    asked = {(block, action) for block, actions in values.items() for action in actions}
    if asked - known:
        raise NotPossible(f"the modal has no field {sorted(asked - known)}; it has {sorted(known)}")


def missing(view: View) -> dict[str, str]:
    """What Slack's client complains of before it sends anything: block id → sentence."""
    errors: dict[str, str] = {}
    for block, element in interactive(view.source["blocks"]):
        if block["type"] == "input":
            key, _ = VALUE_KEYS[element["type"]]
            value = view.state[block["block_id"]][element["action_id"]].get(key)
            sentence = _complaint(element, value, optional=bool(block.get("optional")))
            if sentence:
                errors[block["block_id"]] = sentence
    return errors


def _complaint(element: Json, value: Any, *, optional: bool) -> str | None:
    if value in (None, "", []):
        return None if optional else "Please complete this required field."
    if element["type"] == "number_input":
        return _number_complaint(element, str(value))
    if not isinstance(value, str):
        return None
    if element["type"] == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        return "Please enter a valid email address."
    if len(value) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Please enter no more than {element.get('max_length', 3000)} characters."
    return None


def _number_complaint(element: Json, value: str) -> str | None:
    pattern = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if not re.fullmatch(pattern, value):
        return "Please enter a valid number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return None


def _tell_errors(slack: Slack, view: View, errors: dict[str, str]) -> None:
    slack.feed.tell([view.user], {"type": "view_errors", "view_id": view.id, "errors": errors})


def _after(slack: Slack, person: Person, view: View, outcome: Outcome) -> Json:
    """Do what the acknowledgement says with the modal."""
    told = outcome.as_json()
    if not outcome.acknowledged:
        return {**told, "shown": TROUBLE}
    answer = outcome.answer or {}
    try:
        errors = _respond(slack, person, view, answer)
    except (Refusal, KeyError):
        return {**told, "shown": TROUBLE, "failure": "invalid_response_action"}
    shown = next(iter(errors.values())) if errors else None
    return {**told, "shown": shown, **({"errors": errors} if errors else {})}


def _respond(slack: Slack, person: Person, view: View, answer: Json) -> dict[str, str]:
    action = answer.get("response_action")
    if action == "errors":
        errors: Any = answer["errors"]
        inputs = {block["block_id"] for block in view.source["blocks"] if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
            raise Refusal("invalid_blocks")  # an error can only stand under an input block
        _tell_errors(slack, view, errors)
        return {str(block): str(sentence) for block, sentence in errors.items()}
    if action in ("update", "push"):
        source = check_view(answer["view"], "modal", slack.refused_blocks)
        if action == "update":
            slack.views.update(view, source, None)
            tell_view(slack, view, "view_updated")
        else:
            tell_view(slack, slack.views.push(person.id, source), "view_opened")
        return {}
    if action not in (None, "clear"):
        raise Refusal("invalid_response_action")
    _close(slack, person, view, everything=action == "clear")
    return {}


def _close(slack: Slack, person: Person, view: View, *, everything: bool) -> list[View]:
    if view not in slack.views.stack(person.id):
        return []  # the app replaced the stack while it was thinking
    gone = slack.views.close(person.id, view, everything=everything)
    for closed in reversed(gone):
        tell_view(slack, closed, "view_closed")
    return gone


async def close_view(slack: Slack, asked: Json) -> Json:
    """Press Cancel or the cross; the app hears of it only where the view has `notify_on_close`."""
    person = awake(slack, asked)
    view = open_view(slack, person, asked)
    if view.kind != "modal":
        raise NotPossible("the Home tab can't be closed")
    everything = bool(view.source.get("clear_on_close") or asked.get("everything"))
    _close(slack, person, view, everything=everything)
    if not view.source.get("notify_on_close"):
        return {"delivered": False, "shown": None}
    payload = common(slack, "view_closed", person) | {
        "view": slack.view_json(view),
        "is_cleared": everything,
    }
    outcome = await slack.courier.send("interactive", payload, accepts_answer=False)
    return {**outcome.as_json(), "shown": None}
