"""One call of the Web API: its arguments, read as Slack reads them."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from local_slack.errors import Refusal, invalid
from local_slack.messages import Channel
from local_slack.shapes import Json
from local_slack.slack import Slack


@dataclass(frozen=True, kw_only=True)
class Call:
    """The arguments as sent: strings from a form, any JSON from a JSON body."""

    slack: Slack
    method: str
    arguments: Json

    def text(self, name: str) -> str:
        """A string argument, empty when absent."""
        value = self.arguments.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise invalid("invalid_arguments", [f"must be a string [json-pointer:/{name}]"])
        return str(value)

    def need(self, name: str) -> str:
        """A string argument that must be there."""
        value = self.text(name)
        if not value:
            raise invalid("invalid_arguments", [f"missing required field: {name}"])
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean argument; forms send 1 and 0 or true and false."""
        value = self.arguments.get(name, default)
        return str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, most: int) -> int:
        """An integer between 1 and `most`."""
        try:
            value = int(self.arguments.get(name) or default)
        except ValueError:
            raise Refusal("invalid_limit") from None
        if not 1 <= value <= most:
            raise Refusal("invalid_limit")
        return value

    def structure(self, name: str, wrong: str) -> Any:
        """A JSON argument: as it is from JSON, decoded from a form; `wrong` is the error for what can't be read."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal(wrong) from None

    def channel(self, name: str = "channel") -> Channel:
        """The channel named by an argument; private ones that the app is not in don't exist for it."""
        slack = self.slack
        channel = slack.conversations.need(self.text(name))
        hidden = channel.is_private or channel.is_im
        if hidden and slack.workspace.bot_user_id not in channel.members:
            raise Refusal("channel_not_found")
        return channel

    def needs_scope(self, scope: str) -> None:
        """Refuse unless the manifest has the scope."""
        provided = self.slack.manifest.scopes
        if scope not in provided:
            raise Refusal("missing_scope", needed=scope, provided=",".join(provided))

    def page(
        self, items: list[Any], default: int = 100, most: int = 1000
    ) -> tuple[list[Any], Json]:
        """One page of a list by `limit` and `cursor`, and the `response_metadata` that leads to the next."""
        limit, cursor = self.number("limit", default, most), self.text("cursor")
        if cursor and not (cursor.startswith("next-") and cursor[5:].isdigit()):
            raise Refusal("invalid_cursor")
        start = int(cursor[5:]) if cursor else 0
        following = f"next-{start + limit}" if start + limit < len(items) else ""
        return items[start : start + limit], {"next_cursor": following}


Method = Callable[[Call], Json | Awaitable[Json]]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a method asks for. `caller` is bot, app or anyone: whose token it takes.

    `accepts_json` is false for those that only read forms (most that only read).
    """

    run: Method
    scope: str | None = None
    caller: str = "bot"
    accepts_json: bool = True
