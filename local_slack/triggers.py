"""Trigger ids: the short-lived right to open a modal for the person who just did something."""

import secrets
import time
from dataclasses import dataclass

from local_slack.errors import Refusal


@dataclass(kw_only=True)
class _Trigger:
    user: str
    born: float
    used: bool = False


class Triggers:
    """Ids that work once, for `seconds` (three in Slack) after the person's act."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, _Trigger] = {}

    def new(self, user: str) -> str:
        """An id of Slack's form for that person."""
        trigger_id = (
            f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}"
        )
        self._known[trigger_id] = _Trigger(user=user, born=time.monotonic())
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """Use the id up and return whose it was; refuse as `views.open` does."""
        trigger = self._known.get(trigger_id)
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.used:
            raise Refusal("exchanged_trigger_id")
        if time.monotonic() - trigger.born > self._seconds:
            raise Refusal("expired_trigger_id")
        trigger.used = True
        return trigger.user
