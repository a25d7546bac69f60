"""A payload on its way to the app, and what came of it."""

import secrets
import uuid
from dataclasses import dataclass, field

from local_slack.shapes import Json


def _envelope_id() -> str:
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One payload. `kind` is slash_commands, interactive or events_api, as Socket Mode names them."""

    kind: str
    payload: Json
    accepts_answer: bool = True
    envelope_id: str = field(default_factory=_envelope_id)
    attempt: int = 0
    retry_reason: str = ""

    def envelope(self) -> Json:
        """The Socket Mode envelope."""
        shown: Json = {
            "envelope_id": self.envelope_id,
            "type": self.kind,
            "payload": self.payload,
            "accepts_response_payload": self.accepts_answer,
        }
        if self.kind == "events_api":
            shown |= {"retry_attempt": self.attempt, "retry_reason": self.retry_reason}
        return shown


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it: acknowledged (with an answer or None), or `failure` in Slack's words."""

    answer: Json | None = None
    failure: str | None = None
    milliseconds: float = 0.0

    @property
    def acknowledged(self) -> bool:
        """Whether the app acknowledged in time."""
        return self.failure is None

    def as_json(self) -> Json:
        """For the control API."""
        return {
            "delivered": self.acknowledged,
            "acked_in_ms": self.milliseconds,
            "failure": self.failure,
        }
