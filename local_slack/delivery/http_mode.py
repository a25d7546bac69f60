"""HTTP mode: signed requests to the app's URL (docs.slack.dev/authentication/verifying-requests-from-slack)."""

import asyncio
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from local_slack.delivery.parcel import Outcome, Parcel
from local_slack.options import Options
from local_slack.shapes import Json

_JSON = "application/json"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's version 0 signature of a body sent at `timestamp` (Unix seconds)."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpMode:
    """Sends parcels as HTTP requests; the app has the same three seconds."""

    def __init__(self, options: Options, signing_secret: str) -> None:
        self._options = options
        self._secret = signing_secret
        self._session: aiohttp.ClientSession | None = None
        self.url = options.bot_url

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, parcel: Parcel) -> Outcome:
        """POST a parcel and wait for the answer."""
        body, content_type = encoded(parcel)
        return await self._post(body, self._headers(body, content_type, parcel))

    async def verify(self, challenge: str) -> bool:
        """Slack's check of an events URL: the app must echo the challenge."""
        payload = {"type": "url_verification", "token": "local", "challenge": challenge}
        parcel = Parcel(kind="events_api", payload=payload)
        outcome = await self.send(parcel)
        echoed = outcome.answer or {}
        return outcome.acknowledged and challenge in (echoed.get("challenge"), echoed.get("text"))

    def _headers(self, body: bytes, content_type: str, parcel: Parcel) -> dict[str, str]:
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
        }
        if parcel.attempt:
            headers |= {
                "X-Slack-Retry-Num": str(parcel.attempt),
                "X-Slack-Retry-Reason": parcel.retry_reason,
            }
        return headers

    async def _post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        if self._session is None:
            # trust_env stays off: a proxy meant for the internet can't reach a bot on this machine.
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._options.ack_seconds):
                async with self._session.post(
                    str(self.url), data=body, headers=headers
                ) as response:
                    text = await response.text()
        except TimeoutError:
            return Outcome(failure="operation_timeout", milliseconds=_since(began))
        except aiohttp.ClientError:
            return Outcome(failure="dispatch_failed", milliseconds=_since(began))
        if response.status != 200:
            failure = "http_service_error" if response.status >= 500 else "http_client_error"
            return Outcome(failure=failure, milliseconds=_since(began))
        return Outcome(answer=_answer(text, response.content_type), milliseconds=_since(began))


def encoded(parcel: Parcel) -> tuple[bytes, str]:
    """The body and content type: forms for commands and interactions, JSON for events."""
    if parcel.kind == "events_api":
        return json.dumps(parcel.payload).encode(), _JSON
    fields = (
        parcel.payload
        if parcel.kind == "slash_commands"
        else {"payload": json.dumps(parcel.payload)}
    )
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _answer(text: str, content_type: str) -> Json | None:
    if not text:
        return None
    if content_type == _JSON:
        loaded = _loaded(text)
        if isinstance(loaded, dict):
            return loaded
    return {"text": text}


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
