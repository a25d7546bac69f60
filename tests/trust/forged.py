"""Requests as Slack signs them, and what somebody makes of one who has seen it, stolen it or guessed it."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import urlencode

from local_slack.delivery.http_mode import signature

OTTO_ID = "U0OTTO000"
_NOT_ALLOWED = (
    "U0VERA000",
    "U0GUS0000",
    "U0SINA000",
    "U0DORA000",
    "U0STEFAN0",
    "U0FLOW000",
    "UNOBODY00",
    "",
)
_TOO_OLD = 301


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request, byte for byte."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Press:
    """Somebody's press of Confirm or Cancel on a preview; `trigger` is what makes it one press."""

    confirmation_id: str
    user: str = OTTO_ID
    action: str = "confirm"
    trigger: str = ""

    def payload(self) -> dict[str, object]:
        """Return it as Slack sends it."""
        return {
            "type": "block_actions",
            "user": {"id": self.user, "username": "x", "name": "x", "team_id": "T0ACME000"},
            "team": {"id": "T0ACME000", "domain": "acme"},
            "channel": {"id": "C0OPS0000", "name": "ops"},
            "container": {"type": "message", "message_ts": "17.5", "channel_id": "C0OPS0000"},
            "message": {"ts": "17.5", "text": "preview"},
            "trigger_id": self.trigger,
            "actions": [
                {
                    "action_id": self.action,
                    "block_id": "b",
                    "type": "button",
                    "value": self.confirmation_id,
                }
            ],
        }


def pressed(confirmation_id: str, **more: str) -> Press:
    """Return a new press."""
    return Press(confirmation_id=confirmation_id, trigger=secrets.token_hex(8), **more)


def signed(press: Press, secret: str, *, age: int = 0) -> Sent:
    """Return the request that Slack would have sent `age` seconds ago."""
    body = urlencode({"payload": json.dumps(press.payload())}).encode()
    return stamped(body, secret, age=age)


def stamped(body: bytes, secret: str, *, age: int = 0) -> Sent:
    """Return a body with Slack's headers."""
    stamp = str(int(time.time()) - age)
    return Sent(
        body=body,
        headers={
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(secret, stamp, body),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )


Forge = Callable[[Random, Press, Sent, str], Sent]
"""Makes a request out of a press, the request in which Slack sent it, and the secret (which only Slack has)."""


def _again(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    return seen


def _signed_again(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    return signed(press, secret, age=random.randint(-200, 200))


def _pressed_again(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    return signed(replace(press, trigger=secrets.token_hex(8)), secret)


def _too_old(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    age = random.choice((1, -1)) * random.randint(_TOO_OLD + 30, 100_000)
    return signed(replace(press, trigger=secrets.token_hex(8)), secret, age=age)


def _changed_body(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    body = bytearray(seen.body)
    at = random.randrange(len(body))
    body[at] = (body[at] + random.randint(1, 255)) % 256
    return replace(seen, body=bytes(body))


def _changed_header(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    fresh = signed(replace(press, trigger=secrets.token_hex(8)), secret)
    name = random.choice(("X-Slack-Request-Timestamp", "X-Slack-Signature"))
    old = fresh.headers[name]
    at = random.randrange(len(old))
    junk = random.choice(("0", "f", "9", "x", ""))
    new = random.choice((old[:at] + junk + old[at + 1 :], "", old + "0", old[::-1]))
    if new == old:
        new = "v0=" + "0" * 64
    return replace(fresh, headers={**fresh.headers, name: new})


def _wrong_secret(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    fresh = replace(press, trigger=secrets.token_hex(8))
    return signed(fresh, random.choice((secret[::-1], secret[:-1], "", "0" * 32)))


def _guessed(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    old = press.confirmation_id
    at = random.randrange(len(old))
    guesses = (
        old[:at] + ("A" if old[at] != "A" else "B") + old[at + 1 :],
        old[:-1],
        "",
        "%",
        old + "' OR '1'='1",
    )
    return signed(pressed(random.choice(guesses)), secret)


def _somebody_else(random: Random, press: Press, seen: Sent, secret: str) -> Sent:
    return signed(pressed(press.confirmation_id, user=random.choice(_NOT_ALLOWED)), secret)


AFTER_IT_RAN: dict[str, Forge] = {
    "replayed, byte for byte": _again,
    "replayed, signed anew": _signed_again,
    "pressed again": _pressed_again,
}
WHILE_IT_WAITS: dict[str, Forge] = {
    "expired signatures": _too_old,
    "tampered bodies": _changed_body,
    "tampered headers": _changed_header,
    "signed by somebody else": _wrong_secret,
    "guessed confirmations": _guessed,
    "pressed by somebody who may not": _somebody_else,
}
AFTER_ITS_TIME: dict[str, Forge] = {
    "pressed after it expired": _pressed_again,
    "pressed after it was cancelled": _pressed_again,
}
