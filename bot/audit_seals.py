"""What stands in the audit channel, read back from Slack: with it `audit verify` compares the database.

Only messages of our own bot count, by the mark that the audit's outbox gives them: no text that somebody makes the bot
post can imitate it.
"""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.blocks.audit import MARK
from bot.blocks.drawn import Json
from bot.slack_api import Refusal, SlackApi, TooFast, Unreached
from knowledge_base_agent.problems import Away, Misconfigured, Problem
from knowledge_base_agent.records.audit_verifying import PostedSeals, Seal
from knowledge_base_agent.wording import worded

_PAGE = 200
_MARGIN_SECONDS = 0.3
_SEAL = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class _Reach:
    api: SlackApi
    channel: str
    bot_user: str
    loop: asyncio.AbstractEventLoop


class ChannelSeals:
    """Reads the channel, from any thread but the event loop's own; before the bot has reached Slack it says so."""

    def __init__(self) -> None:
        self._reach: _Reach | None = None

    def open(self, api: SlackApi, channel: str, bot_user: str) -> None:
        """Read this channel from now on; call it on the bot's event loop."""
        loop = asyncio.get_running_loop()
        self._reach = _Reach(api=api, channel=channel, bot_user=bot_user, loop=loop)

    def __call__(self, within: float) -> PostedSeals:
        """Return what stands there, as far back as could be read in so many seconds. Raises a `Problem`."""
        reach = self._reach
        if reach is None:
            raise Misconfigured("There is no audit channel.", "Set KB_AUDIT_CHANNEL.")
        answer = asyncio.run_coroutine_threadsafe(_read(reach, within), reach.loop)
        try:
            return answer.result(within + _MARGIN_SECONDS)
        except NoAnswer as error:
            answer.cancel()
            raise _unanswered("the bot is too busy") from error


async def _read(reach: _Reach, within: float) -> PostedSeals:
    found: list[Seal] = []
    oldest: datetime | None = None
    cursor = ""
    try:
        async with asyncio.timeout(within):
            while True:
                messages, cursor = await reach.api.history(reach.channel, cursor, _PAGE)
                found += _seals(messages, reach.bot_user)
                oldest = _at(messages[-1]) if messages else oldest
                if not cursor:
                    return PostedSeals(seals=tuple(found), back_to=None)
    except (TooFast, Unreached, TimeoutError) as error:
        if oldest is None:
            raise _unanswered(str(error) or f"no answer within {within:g} s") from error
        return PostedSeals(seals=tuple(found), back_to=oldest)
    except Refusal as error:
        raise _refused(error) from error


def _seals(messages: list[Json], bot_user: str) -> Iterator[Seal]:
    for message in messages:
        mark = message.get("metadata") or {}
        payload = mark.get("event_payload") or {}
        number, sha256 = payload.get("entry"), payload.get("sha256")
        ours = message.get("user") == bot_user and mark.get("event_type") == MARK
        if ours and isinstance(number, int) and _SEAL.fullmatch(str(sha256)):
            at = worded(_at(message))
            yield Seal(number=number, sha256=str(sha256), source=f"posted to the channel at {at}")


def _at(message: Json) -> datetime:
    return datetime.fromtimestamp(float(message["ts"]), UTC)


def _unanswered(reason: str) -> Away:
    return Away(f"Slack did not show the channel ({reason}).", "Ask again.", source="Slack")


def _refused(error: Refusal) -> Problem:
    if error.code == "missing_scope":
        cure = "Install the app again from app_manifest.yaml, and set the new SLACK_BOT_TOKEN."
    else:
        cure = "See that KB_AUDIT_CHANNEL is the id of a channel, and `/invite` the bot there."
    return Misconfigured(f"Slack does not show the channel ({error.code}).", cure)
