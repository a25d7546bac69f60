"""Who reads along in a channel: looked up, kept for a minute, and asked afresh where something may be destroyed."""

import time

import structlog

from bot.blocks.drawn import Json
from bot.messages import Place
from bot.slack_api import Refusal, SlackApi, TooFast, Unreached
from knowledge_base_agent.actors import Audience

log = structlog.get_logger()

KEPT_SECONDS = 60.0
_KEPT = 2_000


def audience_of(channel: Json) -> Audience:
    """Return who reads a `conversations.info` channel. Pure.

    A channel that several workspaces of one Enterprise organisation share (`is_org_shared`) stays among ourselves. An
    invitation that was not accepted yet counts as shared: it may be accepted before the click.
    """
    pending = channel.get("pending_shared") or channel.get("pending_connected_team_ids")
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared") or pending:
        return Audience.SHARED
    if channel.get("is_shared") and not channel.get("is_org_shared"):
        return Audience.SHARED
    told = channel.get("is_im") or "is_ext_shared" in channel or "is_shared" in channel
    return Audience.OURS if told else Audience.UNKNOWN


class Channels:
    """Looks channels up."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._known: dict[str, tuple[float, Audience]] = {}

    def remembered(self, place: Place, *, fresh: bool = False) -> Audience | None:
        """Return who reads along where nobody has to be asked for it: our own direct messages, the last minute's."""
        if place.channel == place.user:  # the Home tab, whose answers are direct messages of ours
            return Audience.OURS
        kept = self._known.get(place.channel)
        young = kept and not fresh and time.monotonic() - kept[0] < KEPT_SECONDS
        return kept[1] if kept and young else None

    async def audience(self, place: Place, *, fresh: bool, within: float) -> Audience:
        """Return who reads along in this place: UNKNOWN when the lookup fails, which refuses what destroys.

        `fresh` asks Slack now; otherwise what it said in the last minute counts.
        """
        kept = self.remembered(place, fresh=fresh)
        if kept is not None:
            return kept
        try:
            channel = await self._api.channel(place.channel, within=within)
        except (Refusal, TooFast, Unreached) as error:
            log.warning(
                "a channel could not be looked up", channel=place.channel, reason=str(error)
            )
            return Audience.UNKNOWN
        if channel.get("id") != place.channel:
            return Audience.UNKNOWN
        if len(self._known) >= _KEPT:
            self._known.clear()
        found = audience_of(channel)
        self._known[place.channel] = (time.monotonic(), found)
        return found
