"""What Slack sends to each listener of the bot, for whoever it is that acts."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.blocks.buttons import CANCEL, CONFIRM, STATE_REASON, STOP, WORDS, value_of
from bot.blocks.form import FORM
from bot.blocks.two_people import REASON, REASON_FORM, VALUE
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.road_tables import CONFIRMATIONS

Json = dict[str, Any]
TEAM, OPS = "T0ACME000", "C0OPS0000"
PREVIEW = "the-preview"
SERIAL = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """Somebody who does not belong: their id, the workspace that the payload names, and what they are told."""

    user: str
    why: str
    team: str = TEAM


NOBODIES = {
    "guest": Stranger(user="U0GUS0000", why="a guest"),
    "single-channel guest": Stranger(user="U0SINA000", why="a single-channel guest"),
    "deactivated": Stranger(user="U0DORA000", why="deactivated"),
    "Slack Connect": Stranger(user="U0STEFAN0", why="of another organisation"),
    "workflow": Stranger(user="U0FLOW000", why="a workflow"),
    "the bot itself": Stranger(user="U0KBBOT00", why="a bot"),
    "unknown": Stranger(user="U0NOBODY0", why="could not tell who you are"),
    "without a person": Stranger(user="", why="could not tell who you are"),
    "another workspace": Stranger(user="U0OTTO000", why="of another workspace", team="T0OTHER00"),
}


def command(who: Stranger, text: str, name: str = "/kb") -> Json:
    return {
        "command": name,
        "text": text,
        "user_id": who.user,
        "channel_id": OPS,
        "team_id": who.team,
    }


def interaction(who: Stranger, kind: str, **more: Any) -> Json:
    payload = {
        "type": kind,
        "user": {"id": who.user, "team_id": who.team},
        "team": {"id": who.team},
    }
    return {"payload": json.dumps(payload | {"trigger_id": f"t-{next(SERIAL)}"} | more)}


def click(who: Stranger, action_id: str, value: str) -> Json:
    action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value}
    message = {"ts": "1.1"}
    return interaction(who, "block_actions", channel={"id": OPS}, message=message, actions=[action])


def form(who: Stranger, callback: str, operation: str, values: Json) -> Json:
    carried = json.dumps({"operation": operation, "channel": OPS})
    view = {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": carried,
        "state": {"values": values},
    }
    return interaction(who, "view_submission", view=view)


def reason(who: Stranger, words: str) -> Json:
    view = {
        "type": "modal",
        "callback_id": REASON_FORM,
        "private_metadata": json.dumps({"words": words, "channel": OPS}),
        "state": {"values": {REASON: {VALUE: {"value": "poisoned by deploy 42"}}}},
    }
    return interaction(who, "view_submission", view=view)


def home(who: Stranger) -> Json:
    event = {"type": "app_home_opened", "user": who.user, "tab": "home"}
    return {
        "type": "event_callback",
        "team_id": who.team,
        "event_id": f"Ev{next(SERIAL)}",
        "event": event,
    }


SURFACES: Mapping[str, tuple[Callable[[Stranger], Json], ...]] = {
    "app.command(words.COMMAND)": (
        lambda who: command(who, "stats"),
        lambda who: command(who, ""),
        lambda who: command(who, "help"),
        lambda who: command(who, "nonsense --x"),
        lambda who: command(who, "clear --older-than 0"),
        lambda who: command(who, "pause celery"),
    ),
    "app.command(re.compile('.*'))": (lambda who: command(who, "now", "/deploy"),),
    "app.action(re.compile(f'^{WORDS}:'))": (
        lambda who: click(who, f"{WORDS}:1", value_of("stats")),
        lambda who: click(who, f"{WORDS}:1", value_of("revoke a-1 --terminate")),
    ),
    "app.action(re.compile(f'^{CONFIRM}(:|$)'))": (
        lambda who: click(who, CONFIRM, PREVIEW),
        lambda who: click(who, CONFIRM, "of nothing"),
    ),
    "app.action(CANCEL)": (
        lambda who: click(who, CANCEL, PREVIEW),
        lambda who: click(who, CANCEL, "of nothing"),
    ),
    "app.action(STOP)": (
        lambda who: click(who, STOP, PREVIEW),
        lambda who: click(who, STOP, "of nothing"),
    ),
    "app.action(STATE_REASON)": (
        lambda who: click(who, STATE_REASON, value_of("clear --older-than 0")),
    ),
    "app.action(re.compile('.*'))": (lambda who: click(who, "of-an-older-version", "x"),),
    "app.view(FORM)": (
        lambda who: form(who, FORM, "clear", {}),
        lambda who: form(who, FORM, "gone", {}),
    ),
    "app.view(REASON_FORM)": (lambda who: reason(who, "clear --older-than 0"),),
    "app.view(re.compile('.*'))": (lambda who: form(who, "other", "clear", {}),),
    "app.event('app_home_opened')": (home,),
}
"""Each listener as it is written in `listeners.py`, and what can be sent to it. A new one without a row fails below."""


def preview_of_clear() -> Json:
    """Return the row of a preview that waits for somebody."""
    now = utc_now()
    values = {column.name: "" for column in CONFIRMATIONS.columns if not column.nullable}
    return values | {
        "id": PREVIEW,
        "operation": "clear",
        "state": "pending",
        "asked_at": now,
        "expires_at": now + timedelta(minutes=5),
    }
