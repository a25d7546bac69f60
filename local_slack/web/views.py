"""views.*: modals and Home tabs."""

from typing import Any

from local_slack.blocks.views import check_view
from local_slack.errors import Refusal, invalid
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.views import View
from local_slack.web.call import Call, Spec


def tell_view(slack: Slack, view: View, kind: str) -> None:
    """Let the person's pages know; `kind` is view_opened, view_updated, view_closed or home."""
    slack.feed.tell([view.user], {"type": kind, "view": slack.view_json(view)})


def _given(call: Call, kind: str) -> Json:
    view: Any = call.structure("view", "invalid_arguments")
    if view is None:
        raise invalid("invalid_arguments", ["missing required field: view"])
    return check_view(view, kind, call.slack.refused_blocks)


def _trigger(call: Call) -> str:
    trigger = call.text("trigger_id") or call.text("interactivity_pointer")
    if not trigger:
        raise invalid("invalid_arguments", ["missing required field: trigger_id"])
    return call.slack.triggers.exchange(trigger)


def open_view(call: Call) -> Json:
    """views.open."""
    source = _given(call, "modal")
    user = _trigger(call)
    before = call.slack.views.stack(user)
    view = call.slack.views.open(user, source)
    for replaced in reversed(before):
        tell_view(call.slack, replaced, "view_closed")
    tell_view(call.slack, view, "view_opened")
    return {"view": call.slack.view_json(view)}


def push_view(call: Call) -> Json:
    """views.push: onto the modals that the person has open."""
    source = _given(call, "modal")
    view = call.slack.views.push(_trigger(call), source)
    tell_view(call.slack, view, "view_opened")
    return {"view": call.slack.view_json(view)}


def update_view(call: Call) -> Json:
    """views.update, by view_id or external_id."""
    if not call.text("view_id") and not call.text("external_id"):
        raise invalid("invalid_arguments", ["missing required field: view_id"])
    view = call.slack.views.find(call.text("view_id") or None, call.text("external_id") or None)
    if view is None:
        raise Refusal("not_found")
    source = _given(call, view.kind)
    call.slack.views.update(view, source, call.text("hash") or None)
    tell_view(call.slack, view, "home" if view.kind == "home" else "view_updated")
    return {"view": call.slack.view_json(view)}


def publish_view(call: Call) -> Json:
    """views.publish: a person's Home tab."""
    slack, user = call.slack, call.need("user_id")
    if not slack.manifest.home_tab:
        raise Refusal("not_enabled")
    if user not in slack.people:
        raise invalid("invalid_arguments", ["invalid `user_id`"])
    view = slack.views.publish(user, _given(call, "home"), call.text("hash") or None)
    tell_view(slack, view, "home")
    return {"view": slack.view_json(view)}


METHODS = {
    "views.open": Spec(run=open_view),
    "views.push": Spec(run=push_view),
    "views.update": Spec(run=update_view),
    "views.publish": Spec(run=publish_view),
}
