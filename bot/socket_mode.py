"""Socket Mode: envelopes over a WebSocket, acknowledged before anything else happens to them.

Only a filled-in form is read first, since its acknowledgement carries what is wrong with it; reading it takes
a millisecond.
"""

import json

import structlog
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.drawn import Json
from bot.slack_client import needs_no_proxy, quiet_logger
from bot.tokens import refused_token

log = structlog.get_logger()


class SocketMode:
    """One connection to Slack, which slack_sdk renews by itself."""

    def __init__(self, app: AsyncApp, web_client: AsyncWebClient, app_token: str) -> None:
        self._app = app
        self._client = SocketModeClient(
            app_token=app_token,
            logger=quiet_logger("slack_sdk.socket_mode"),
            web_client=web_client,
            ping_interval=5,
        )
        if needs_no_proxy(web_client.base_url):
            self._client.proxy = None
        self._client.socket_mode_request_listeners.append(self._take)

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

    async def _take(self, client: AsyncBaseSocketModeClient, envelope: SocketModeRequest) -> None:
        if envelope.type == "interactive" and envelope.payload.get("type") == "view_submission":
            await _acknowledge(client, envelope, await self._dispatch(envelope))
        else:
            await _acknowledge(client, envelope, None)
            await self._dispatch(envelope)

    async def _dispatch(self, envelope: SocketModeRequest) -> Json | None:
        """Let Bolt's listeners have it; return what the acknowledgement should carry."""
        try:
            request = AsyncBoltRequest(
                mode="socket_mode", body=envelope.payload, headers=build_headers(envelope)
            )
            answer = await self._app.async_dispatch(request)
            return json.loads(answer.body) if answer.body and answer.status == 200 else None
        except Exception:
            # What is no payload of Slack's must not end the connection; it is acknowledged all the same.
            log.exception("an envelope could not be read", type=envelope.type)
            return None


async def _acknowledge(
    client: AsyncBaseSocketModeClient, envelope: SocketModeRequest, answer: Json | None
) -> None:
    try:
        await client.send_socket_mode_response(
            SocketModeResponse(envelope_id=envelope.envelope_id, payload=answer)
        )
    except (OSError, AttributeError) as error:
        # The connection was replaced in this moment; Slack sends the envelope again, and `Seen` knows it.
        log.warning("an envelope could not be acknowledged", reason=str(error))
