"""Modals and Home tabs that are open."""

import secrets
import time
from dataclasses import dataclass, field

from local_slack.blocks.parts import initial_state, with_ids
from local_slack.errors import Refusal
from local_slack.shapes import Json

_SHOWN = (
    "type",
    "blocks",
    "title",
    "submit",
    "close",
    "private_metadata",
    "callback_id",
    "external_id",
    "clear_on_close",
    "notify_on_close",
    "submit_disabled",
)
# How many modals may lie on each other (docs.slack.dev/surfaces/modals).
STACK = 3


@dataclass(kw_only=True)
class View:
    """One modal or Home tab of one person."""

    id: str
    user: str
    source: Json
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    state: dict[str, dict[str, Json]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`modal` or `home`."""
        return str(self.source["type"])

    def as_json(self, team: str, app_id: str, bot_id: str) -> Json:
        """The view object of answers and payloads."""
        shown: Json = {
            "id": self.id,
            "team_id": team,
            "app_id": app_id,
            "app_installed_team_id": team,
            "bot_id": bot_id,
            "title": None,
            "submit": None,
            "close": None,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "state": {"values": self.state},
            "hash": self.hash,
            "root_view_id": self.root_view_id,
            "previous_view_id": self.previous_view_id,
        }
        return shown | {key: self.source[key] for key in _SHOWN if key in self.source}


class Views:
    """Every person's stack of modals, and their Home tab."""

    def __init__(self) -> None:
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    def stack(self, user: str) -> list[View]:
        """The open modals of that person, the topmost last."""
        return list(self._stacks.get(user, ()))

    def home(self, user: str) -> View | None:
        """The person's Home tab, once published."""
        return self._homes.get(user)

    def find(self, view_id: str | None = None, external_id: str | None = None) -> View | None:
        """An open view by id or external id."""
        everything = [
            *self._homes.values(),
            *(view for stack in self._stacks.values() for view in stack),
        ]
        for view in everything:
            if view_id is not None and view.id == view_id:
                return view
            if external_id and view.source.get("external_id") == external_id:
                return view
        return None

    def open(self, user: str, source: Json) -> View:
        """Put a modal in front of a person who has none open; an older stack is replaced, as in Slack."""
        view = self._new(user, source)
        self._stacks[user] = [view]
        return view

    def push(self, user: str, source: Json) -> View:
        """Put a modal on the person's stack."""
        stack = self._stacks.get(user)
        if not stack:
            raise Refusal("not_found")
        if len(stack) >= STACK:
            raise Refusal("push_limit_reached")
        view = self._new(user, source)
        view.root_view_id, view.previous_view_id = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def publish(self, user: str, source: Json, expected_hash: str | None) -> View:
        """Set a person's Home tab."""
        old = self._homes.get(user)
        if old is None:
            self._homes[user] = self._new(user, source)
        else:
            self.update(old, source, expected_hash)
        return self._homes[user]

    def update(self, view: View, source: Json, expected_hash: str | None) -> None:
        """Replace a view's content; values survive where block id and action id stay the same, as in Slack."""
        if expected_hash and expected_hash != view.hash:
            raise Refusal("hash_conflict")
        self._check_external_id(source, besides=view)
        before = view.state
        view.source = source | {"blocks": with_ids(source["blocks"])}
        view.state = initial_state(view.source["blocks"])
        for block, values in view.state.items():
            kept = before.get(block, {})
            values.update({action: kept[action] for action in values if action in kept})
        view.hash = _hash()

    def close(self, user: str, view: View, *, everything: bool = False) -> list[View]:
        """Take a modal (or the whole stack) away; return what went."""
        stack = self._stacks.get(user, [])
        at = 0 if everything else stack.index(view)
        gone, self._stacks[user] = stack[at:], stack[:at]
        return gone

    def _new(self, user: str, source: Json) -> View:
        self._check_external_id(source, besides=None)
        blocks = with_ids(source["blocks"])
        id_ = "V" + secrets.token_hex(5).upper()
        return View(
            id=id_,
            user=user,
            source=source | {"blocks": blocks},
            hash=_hash(),
            root_view_id=id_,
            state=initial_state(blocks),
        )

    def _check_external_id(self, source: Json, besides: View | None) -> None:
        other = self.find(external_id=source.get("external_id"))
        if other is not None and other is not besides:
            raise Refusal("duplicate_external_id")


def _hash() -> str:
    return f"{int(time.time())}.{secrets.token_hex(4)}"
