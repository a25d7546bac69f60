"""The ways in which the local Slack says no."""

from typing import Any


class Refusal(Exception):
    """An answer `{"ok": false, "error": …}` of the Web API; `details` are merged into it."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    def as_json(self) -> dict[str, Any]:
        """The answer's body."""
        return {"ok": False, "error": self.error, **self.details}


def invalid(error: str, messages: list[str]) -> Refusal:
    """A refusal with Slack's two lists of findings, one with `[ERROR]` before each."""
    told = [f"[ERROR] {message}" for message in messages]
    return Refusal(error, errors=messages, response_metadata={"messages": told})


class NotPossible(Exception):
    """A person can't do that in Slack: there is no such button, channel or person (control API, HTTP 409)."""


class BadSetup(Exception):
    """The manifest or the workspace file can't be used; the sentence says why."""
