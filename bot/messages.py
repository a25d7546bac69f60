"""Sending what was drawn: in the form that Slack takes, to where it can be seen."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import structlog

from bot.blocks.drawn import Drawn, Json
from bot.slack_api import Refusal, SlackApi, TooFast, Unreached
from bot.waiting import patiently

T = TypeVar("T")
log = structlog.get_logger()

REMEMBERED_SECONDS = 600.0
"""For how long a block type that was refused is not tried again."""
_BAD_BLOCKS = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "unsupported_block_type",
        "msg_blocks_too_long",
        "msg_too_long",
    }
)
NOT_HERE = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})
"""Slack's ways of saying that the bot can't write in this place."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where somebody asked: a channel (from the Home tab: the person), a thread in it, and Slack's way to whisper."""

    channel: str
    user: str
    thread: str | None = None
    response_url: str = ""
    team: str = ""
    """The workspace that the payload names, or empty; so with the Enterprise organisation."""
    enterprise: str = ""


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A message of ours: what `chat.update` needs to find it."""

    channel: str
    message: str


class Messages:
    """Posts, replaces and whispers, falling back from new blocks to old ones to text alone."""

    def __init__(
        self, api: SlackApi, session: aiohttp.ClientSession, api_url: str, proxy: str | None
    ) -> None:
        self._api = api
        self._session = session
        self._proxy = proxy
        home = urlsplit(api_url)
        self._hooks = {(home.scheme, home.netloc), ("https", f"hooks.{home.netloc}")}
        self._refused: dict[str, float] = {}

    async def post(self, place: Place, drawn: Drawn) -> Posted:
        """Post a message where it was asked for. Raises `Refusal` when the bot can't write there."""

        async def send(blocks: Sequence[Json]) -> tuple[str, str]:
            return await self._api.post(place.channel, drawn.text, blocks, place.thread)

        channel, message = await patiently(lambda: self._in_some_form(drawn, send))
        return Posted(channel=channel, message=message)

    async def post_once(self, channel: str, drawn: Drawn, mark: Json | None = None) -> Posted:
        """Post a message, with a mark that only programs see, leaving every kind of retry to the caller."""

        async def send(blocks: Sequence[Json]) -> tuple[str, str]:
            return await self._api.post(channel, drawn.text, blocks, None, mark)

        where, message = await self._in_some_form(drawn, send)
        return Posted(channel=where, message=message)

    async def update(self, posted: Posted, drawn: Drawn) -> None:
        """Replace a message."""

        async def send(blocks: Sequence[Json]) -> None:
            await self._api.update(posted.channel, posted.message, drawn.text, blocks)

        await self._in_some_form(drawn, send)

    async def whisper(self, place: Place, drawn: Drawn) -> None:
        """Say something to one person alone, by whatever way is open; if there is none, the log has it."""
        try:
            if self._may_use(place.response_url):
                return await self._respond(place.response_url, drawn)
        except (Refusal, Unreached, TooFast) as error:
            log.info("response_url did not work", reason=str(error))
        try:
            await self._whisper_by_api(place, drawn)
        except (Refusal, Unreached, TooFast) as error:
            log.warning("an answer reached nobody", user=place.user, reason=str(error))

    async def show_home(self, user: str, view: Json) -> None:
        """Show a person's Home tab."""
        await patiently(lambda: self._api.publish_home(user, view))

    async def open_form(self, trigger: str, view: Json) -> None:
        """Open a modal for the person whose act gave us this trigger. Not tried again: triggers are soon over."""
        await self._api.open_view(trigger, view)

    async def _whisper_by_api(self, place: Place, drawn: Drawn) -> None:
        async def send(blocks: Sequence[Json]) -> None:
            if place.channel == place.user:  # the Home tab: there is no channel to whisper in
                await self._api.post(place.user, drawn.text, blocks, None)
            else:
                await self._api.whisper(place.channel, place.user, drawn.text, blocks, place.thread)

        await patiently(lambda: self._in_some_form(drawn, send))

    async def _respond(self, url: str, drawn: Drawn) -> None:
        async def send(blocks: Sequence[Json]) -> None:
            body = {"response_type": "ephemeral", "replace_original": False, "text": drawn.text}
            await self._hook(url, body | ({"blocks": list(blocks)} if blocks else {}))

        await self._in_some_form(drawn, send)

    async def _hook(self, url: str, body: Json) -> None:
        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with self._session.post(
                url, json=body, timeout=timeout, proxy=self._proxy, allow_redirects=False
            ) as answer:
                said = (await answer.text())[:300]
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreached(type(error).__name__) from error
        if status == 429:
            raise TooFast(1.0)
        if status >= 500:
            raise Unreached(f"HTTP {status}")
        if status != 200 or _error_in(said):
            raise Refusal(_error_in(said) or said or f"HTTP {status}")

    def _may_use(self, url: str) -> bool:
        # A payload could name any address: answers go to Slack's own host, or to the Slack that was configured.
        parts = urlsplit(url)
        return (parts.scheme, parts.netloc) in self._hooks

    async def _in_some_form(
        self, drawn: Drawn, send: Callable[[Sequence[Json]], Awaitable[T]]
    ) -> T:
        if drawn.blocks and not self._known_bad(drawn):
            try:
                return await send(drawn.blocks)
            except Refusal as error:
                self._remember(drawn, drawn.blocks, error)
        if not drawn.is_text_alone:
            # Drawing takes milliseconds, and the loop has to acknowledge meanwhile.
            plain = await asyncio.to_thread(lambda: drawn.plain)
            if plain and plain != drawn.blocks:
                try:
                    return await send(plain)
                except Refusal as error:
                    self._remember(drawn, plain, error)
        return await send(())

    def _known_bad(self, drawn: Drawn) -> bool:
        now = time.monotonic()
        return any(self._refused.get(kind, now) > now for kind in drawn.new_kinds)

    def _remember(self, drawn: Drawn, blocks: Sequence[Json], error: Refusal) -> None:
        """Remember what Slack refused these blocks for; raise what has nothing to do with them."""
        if error.code not in _BAD_BLOCKS:
            raise error
        log.warning("Slack refused blocks", code=error.code, hints=error.hints[:3])
        if error.code in ("msg_blocks_too_long", "msg_too_long") or blocks is not drawn.blocks:
            return
        until = time.monotonic() + REMEMBERED_SECONDS
        for kind in _blamed(error, drawn):
            self._refused[kind] = until


def _blamed(error: Refusal, drawn: Drawn) -> frozenset[str]:
    """Return the new block types that Slack's hints point at, or all of the message's where they don't say."""
    pointed = {
        block["type"]
        for at, block in enumerate(drawn.blocks)
        if any(f"/blocks/{at}/" in hint or f"/blocks/{at}]" in hint for hint in error.hints)
    }
    named = {kind for kind in drawn.new_kinds if any(kind in hint for hint in error.hints)}
    return frozenset((pointed & drawn.new_kinds) | named) or drawn.new_kinds


def _error_in(said: str) -> str:
    if not said.startswith("{"):
        return "" if said in ("ok", "") else said
    try:
        found = json.loads(said)
    except ValueError:
        return ""
    return "" if found.get("ok", True) else str(found.get("error") or "unknown_error")
