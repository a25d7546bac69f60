"""The Web API methods that the bot calls, and the three ways in which Slack does not do what it was asked.

Nothing is retried here: slack_sdk's own retry posts a message twice when the connection drops. Who calls decides.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.blocks.drawn import Json
from bot.scopes import Scopes

WITHIN = 8.0
"""Seconds for a call to Slack, all in all."""
TRIGGERED_WITHIN = 2.5
"""Seconds for a call with a trigger id, which Slack takes for three."""
_PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)


class Refusal(Exception):
    """Slack understood and said no: `code` is its error, such as `not_in_channel`; `hints` say more."""

    def __init__(self, code: str, hints: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.hints = tuple(hints)


class TooFast(Exception):
    """Slack wants fewer calls (429); the same call may be made again after `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after:g} s")
        self.retry_after = retry_after


class Unreached(Exception):
    """No answer from Slack. Unless `surely_not_done`, it may have done what it was asked."""

    def __init__(self, reason: str, *, surely_not_done: bool = False) -> None:
        super().__init__(reason)
        self.surely_not_done = surely_not_done


class SlackApi:
    """Slack's Web API as the bot uses it. Every method raises `Refusal`, `TooFast` or `Unreached`."""

    def __init__(self, client: AsyncWebClient, scopes: Scopes) -> None:
        self._client = client
        self._scopes = scopes

    async def auth_test(self) -> Json:
        """Tell whose token this is: team, bot user, bot. Its headers tell what the token may do."""
        response = await _response(self._client.auth_test(), WITHIN)
        self._scopes.read(response.headers)
        return _data(response)

    async def user(self, user_id: str, *, within: float) -> Json:
        """Return what Slack knows about a person."""
        found = await answered(self._client.users_info(user=user_id), within)
        return dict(found.get("user") or {})

    async def group_members(self, group_id: str, *, within: float) -> frozenset[str]:
        """Return the ids of a user group's members."""
        found = await answered(self._client.usergroups_users_list(usergroup=group_id), within)
        return frozenset(found.get("users") or ())

    async def channel(self, channel_id: str, *, within: float) -> Json:
        """Return what Slack knows about a channel, which includes who shares it."""
        found = await answered(self._client.conversations_info(channel=channel_id), within)
        return dict(found.get("channel") or {})

    async def post(
        self,
        channel: str,
        text: str,
        blocks: Sequence[Json],
        thread: str | None,
        mark: Json | None = None,
    ) -> tuple[str, str]:
        """Post a message; return the channel (for a person: that of the direct messages) and its timestamp.

        `mark` goes along as the message's metadata, which nobody sees and which no text can imitate.
        """
        found = await answered(
            self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=list(blocks) or None,
                thread_ts=thread,
                mrkdwn=False,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                metadata=mark,
            )
        )
        return str(found["channel"]), str(found["ts"])

    async def update(self, channel: str, message: str, text: str, blocks: Sequence[Json]) -> None:
        """Replace a message of the bot's own."""
        await answered(
            # Unlike chat.postMessage, this method would look for names and links by default.
            self._client.chat_update(
                channel=channel,
                ts=message,
                text=text,
                blocks=list(blocks),
                parse="none",
                link_names=False,
            )
        )

    async def history(self, channel: str, cursor: str, limit: int) -> tuple[list[Json], str]:
        """Return a page of a channel's messages with their metadata, the newest first, and what leads to the next."""
        found = await answered(
            self._client.conversations_history(
                channel=channel, cursor=cursor or None, limit=limit, include_all_metadata=True
            )
        )
        following = (found.get("response_metadata") or {}).get("next_cursor") or ""
        return list(found.get("messages") or ()), str(following)

    async def whisper(
        self, channel: str, user: str, text: str, blocks: Sequence[Json], thread: str | None
    ) -> None:
        """Post a message that only one person sees."""
        await answered(
            self._client.chat_postEphemeral(
                channel=channel, user=user, text=text, blocks=list(blocks) or None, thread_ts=thread
            )
        )

    async def publish_home(self, user: str, view: Json) -> None:
        """Show the Home tab of one person."""
        await answered(self._client.views_publish(user_id=user, view=view))

    async def open_view(self, trigger: str, view: Json) -> None:
        """Open a modal."""
        opening = self._client.views_open(trigger_id=trigger, view=view)
        await answered(opening, TRIGGERED_WITHIN)

    async def file_slot(self, name: str, length: int) -> tuple[str, str]:
        """Ask where a file of so many bytes can be sent to; return that address and the file's id."""
        found = await answered(
            self._client.files_getUploadURLExternal(filename=name, length=length)
        )
        return str(found["upload_url"]), str(found["file_id"])

    async def share_file(self, file_id: str, title: str, channel: str, thread: str) -> None:
        """Share a file that was sent, in the thread of a message."""
        files: list[dict[str, str | None]] = [{"id": file_id, "title": title}]
        await answered(
            self._client.files_completeUploadExternal(
                files=files, channel_id=channel, thread_ts=thread
            )
        )


async def answered(call: Awaitable[AsyncSlackResponse], within: float = WITHIN) -> Json:
    """Wait for Slack's answer to a call and return it; raise one of the three errors."""
    return _data(await _response(call, within))


def _data(response: AsyncSlackResponse) -> Json:
    return dict(response.data) if isinstance(response.data, dict) else {}


async def _response(call: Awaitable[AsyncSlackResponse], within: float) -> AsyncSlackResponse:
    try:
        async with asyncio.timeout(within):
            return await call
    except SlackApiError as error:
        raise _said_no(error) from error
    except aiohttp.ClientConnectorError as error:
        raise Unreached(type(error).__name__, surely_not_done=True) from error
    # ValueError and AttributeError: what slack_sdk raises when the body is no JSON at all.
    except (
        TimeoutError,
        aiohttp.ClientError,
        SlackClientError,
        OSError,
        ValueError,
        AttributeError,
    ) as error:
        raise Unreached(type(error).__name__) from error


def _said_no(error: SlackApiError) -> Exception:
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    data = data if isinstance(data, dict) else {}
    code = str(data.get("error") or "")
    if status == 429 or code == "ratelimited":
        return TooFast(_retry_after(getattr(response, "headers", None) or {}))
    if status >= 500 or code in _PASSING or not code:
        return Unreached(code or f"HTTP {status}")
    hints = (data.get("response_metadata") or {}).get("messages") or ()
    return Refusal(code, [str(hint) for hint in [*hints, *(data.get("errors") or ())]])


def _retry_after(headers: Mapping[str, Any]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return max(float(value), 0.0)
            except ValueError:
                break
    return 1.0
