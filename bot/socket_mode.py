"""Socket Mode: envelopes over a WebSocket, acknowledged before anything else happens to them.

Only a filled-in form is read first, since its acknowledgement carries what is wrong with it; reading it takes
a millisecond.
"""

import json

import msgspec
import structlog
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.drawn import Json
from bot.errands import Errands, Urgency
from bot.slack_client import as_json, needs_no_proxy, quiet_logger
from bot.tokens import refused_token

log = structlog.get_logger()


class _Kind(msgspec.Struct):
    """What a payload is."""

    type: object = ""


class _Envelope(msgspec.Struct):
    """As much of a message as its acknowledgement needs; a payload may hold a message of a hundred kilobytes."""

    envelope_id: str = ""
    type: object = ""
    payload: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def wants_an_answer(self) -> bool:
        """Whether Slack reads the acknowledgement."""
        if self.type != "interactive":
            return False
        try:
            return msgspec.json.decode(self.payload, type=_Kind).type == "view_submission"
        except msgspec.DecodeError:  # it is no object
            return False


class _Client(SocketModeClient):
    """slack_sdk's client hands on what it receives through a queue and two tasks; envelopes don't wait for those."""

    def __init__(self, app: AsyncApp, errands: Errands, web_client: AsyncWebClient, token: str):
        super().__init__(
            app_token=token,
            logger=quiet_logger("slack_sdk.socket_mode"),
            web_client=web_client,
            ping_interval=5,
        )
        self._app = app
        self._errands = errands

    async def enqueue_message(self, message: str) -> None:
        """Take what has come, whatever it is; nothing that is raised here may end the connection."""
        try:
            envelope = msgspec.json.decode(message, type=_Envelope)
        except msgspec.DecodeError:
            log.warning("something came that is no message of Slack's", length=len(message))
            return
        if not envelope.envelope_id:  # that it is connected, or is soon to be no more
            await super().enqueue_message(message)
            return
        answered = envelope.wants_an_answer
        work = self._work(envelope.envelope_id, message, answered=answered)
        # In the line before the acknowledgement, and begun after it: the next turn comes when that is written. Whoever
        # waits there for a full buffer may be cancelled, at a new connection or the bot's stop, and Slack has it then.
        self._errands.start(work, Urgency.UNREAD)
        if not answered:
            await self._acknowledge(envelope.envelope_id, None)

    async def _work(self, envelope_id: str, message: str, *, answered: bool) -> None:
        answer = await self._dispatch(message)
        if answered:
            await self._acknowledge(envelope_id, answer)

    async def _dispatch(self, message: str) -> Json | None:
        """Let Bolt's listeners have it; return what the acknowledgement should carry."""
        try:
            envelope = SocketModeRequest.from_dict(json.loads(message))
            if envelope is None:
                log.warning("an envelope came without a type or a payload")
                return None
            request = AsyncBoltRequest(
                mode="socket_mode", body=envelope.payload, headers=build_headers(envelope)
            )
            answer = await self._app.async_dispatch(request)
            return json.loads(answer.body) if answer.body and answer.status == 200 else None
        except Exception:
            # What is no payload of Slack's must not end the connection; it is acknowledged all the same.
            log.exception("an envelope could not be read")
            return None

    async def _acknowledge(self, envelope_id: str, answer: Json | None) -> None:
        carried = {"payload": answer} if answer is not None else {}
        try:
            await self.send_message(as_json({"envelope_id": envelope_id} | carried))
        except (OSError, AttributeError) as error:
            # The connection was replaced in this moment; Slack sends the envelope again, and `Seen` knows it.
            log.warning("an envelope could not be acknowledged", reason=str(error))


class SocketMode:
    """One connection to Slack, which slack_sdk renews by itself."""

    def __init__(
        self, app: AsyncApp, errands: Errands, web_client: AsyncWebClient, app_token: str
    ) -> None:
        """Have what comes of envelopes, once they are acknowledged, among the `errands`."""
        self._client = _Client(app, errands, web_client, app_token)
        if needs_no_proxy(web_client.base_url):
            self._client.proxy = None

    async def connect(self) -> None:
        """Connect; from then on the connection is kept. Raises `Misconfigured` when the token is wrong."""
        try:
            self._client.wss_uri = await self._client.issue_new_wss_url()
        except SlackApiError as error:
            code = str(error.response.get("error", ""))
            problem = refused_token("SLACK_APP_TOKEN", code)
            if problem is not None:
                raise problem from error
            log.warning("Slack has no connection for us yet", code=code)
        await self._client.connect()  # type: ignore[no-untyped-call]

    async def connected(self) -> bool:
        """Tell whether envelopes can arrive now."""
        return bool(await self._client.is_connected())

    async def close(self) -> None:
        """Take no more envelopes."""
        await self._client.close()  # type: ignore[no-untyped-call]
