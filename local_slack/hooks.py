"""Response URLs: five answers within thirty minutes to one act of a person."""

import secrets
import time
from dataclasses import dataclass

from local_slack.errors import Refusal


@dataclass(kw_only=True)
class Hook:
    """What one response URL answers to."""

    channel: str
    user: str
    born: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


class Hooks:
    """The response URLs that were handed out."""

    def __init__(self, uses: int, seconds: float) -> None:
        self._uses = uses
        self._seconds = seconds
        self._known: dict[str, Hook] = {}

    def new(
        self, channel: str, user: str, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """The path of a new response URL; `message_ts` is the message that was clicked."""
        key = f"{secrets.randbelow(10**12)}/{secrets.token_urlsafe(18)}"
        self._known[key] = Hook(
            channel=channel,
            user=user,
            born=time.monotonic(),
            message_ts=message_ts,
            thread_ts=thread_ts,
        )
        return key

    def use(self, key: str) -> Hook:
        """Count one use; refuse an unknown, expired or used-up URL."""
        hook = self._known.get(key)
        if hook is None:
            raise Refusal("no_such_url")
        if time.monotonic() - hook.born > self._seconds:
            raise Refusal("expired_url")
        if hook.uses >= self._uses:
            raise Refusal("used_url")
        hook.uses += 1
        return hook
