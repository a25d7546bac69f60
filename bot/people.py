"""Who a Slack person is: looked up, kept for a minute, and asked afresh where something is about to be changed."""

import asyncio
import time
from typing import TypeVar

import structlog
from msgspec.structs import replace

from bot.blocks.drawn import Json
from bot.channels import Channels
from bot.messages import Place
from bot.slack_api import Refusal, SlackApi, TooFast, Unreached
from knowledge_base_agent.actors import Actor, Audience, Standing, Surface
from knowledge_base_agent.settings import Settings

Known = TypeVar("Known")
log = structlog.get_logger()

KEPT_SECONDS = 60.0
WITHIN = 1.5
"""Seconds for a lookup, all in all: what is asked must be answered within three."""
_CHANNEL_WITHIN = 1.2
"""A little less: a channel that can't be looked up must not make a person unknown."""
_GONE_GROUP = frozenset({"no_such_subteam", "subteam_not_found", "subteam_disabled"})


def standing_of(user: Json, home: Json) -> Standing:
    """Return what a `users.info` user is, in the workspace that `auth.test` (`home`) names. Pure."""
    why_not = _why_not(user, home)
    return Standing(known=True, full_member=not why_not, why_not=why_not)


def _why_not(user: Json, home: Json) -> str:
    if user.get("deleted"):
        return "deactivated"
    if user.get("is_workflow_bot"):
        return "a workflow"
    if user.get("is_bot") or user.get("is_connector_bot") or user.get("id") == "USLACKBOT":
        return "a bot"
    if user.get("is_stranger"):
        return "of another organisation"
    if user.get("is_ultra_restricted"):
        return "a single-channel guest"
    if user.get("is_restricted"):
        return "a guest"
    return "" if _of_our_own(user, home) else "of another organisation"


def _of_our_own(user: Json, home: Json) -> bool:
    if user.get("team_id") == home.get("team_id") and home.get("team_id"):
        return True
    enterprise = user.get("enterprise_user") or {}
    ours = home.get("enterprise_id")
    return bool(ours) and enterprise.get("enterprise_id") == ours


def is_elsewhere(place: Place, home: Json) -> bool:
    """Tell whether a payload names another workspace than the bot's, and not its Enterprise organisation either."""
    if place.enterprise and place.enterprise == home.get("enterprise_id"):
        return False
    return bool(place.team) and place.team != home.get("team_id")


def name_of(user: Json) -> str:
    """Return what people call a person."""
    profile = user.get("profile") or {}
    names = (
        profile.get("display_name"),
        profile.get("real_name"),
        user.get("real_name"),
        user.get("name"),
    )
    return next((str(name) for name in names if name), str(user.get("id", "somebody")))


def _young(kept: tuple[float, Known] | None) -> Known | None:
    return kept[1] if kept and time.monotonic() - kept[0] < KEPT_SECONDS else None


class People:
    """Looks people up, the groups that the settings name, and the channel in which somebody asks."""

    def __init__(self, api: SlackApi, settings: Settings, home: Json) -> None:
        self._api = api
        self._channels = Channels(api)
        self._home = home
        named = {*settings.viewers, *settings.operators, *settings.admins, *settings.raw_readers}
        self._group_ids = sorted(name for name in named if name.startswith("S"))
        self._users: dict[str, tuple[float, Json]] = {}
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}

    async def actor(self, place: Place, *, fresh: bool, name: str = "") -> Actor:
        """Return the person who asks in a place. A lookup that fails leaves `standing.known` False, which refuses.

        `fresh` asks Slack now; otherwise what it said in the last minute counts. `name` is used when the lookup fails.
        """
        user_id = place.user
        if is_elsewhere(place, self._home):
            standing = Standing(known=True, why_not="of another workspace")
            return Actor(id=user_id, name=name or user_id, surface=Surface.SLACK, standing=standing)
        if not fresh and (kept := self._remembered(place)) is not None:
            return kept
        try:
            async with asyncio.timeout(WITHIN):
                user, groups, audience = await asyncio.gather(
                    self._user(user_id, fresh=fresh),
                    self._groups_of(user_id, fresh=fresh),
                    self._channels.audience(place, fresh=fresh, within=_CHANNEL_WITHIN),
                )
        except (Refusal, TooFast, Unreached, TimeoutError) as error:
            log.warning("a person could not be looked up", user=user_id, reason=str(error))
            return Actor(id=user_id, name=name or user_id, surface=Surface.SLACK)
        return self._actor(user, groups, audience)

    def _actor(self, user: Json, groups: frozenset[str], audience: Audience) -> Actor:
        standing = replace(standing_of(user, self._home), groups=groups, audience=audience)
        return Actor(
            id=str(user["id"]), name=name_of(user), surface=Surface.SLACK, standing=standing
        )

    def _remembered(self, place: Place) -> Actor | None:
        """Return who this is where all of it was looked up within the last minute; else None.

        Most of those who ask have just asked, and lookups that ask nobody would be three tasks for the loop.
        """
        user, audience = _young(self._users.get(place.user)), self._channels.remembered(place)
        members = {one: _young(self._groups.get(one)) for one in self._group_ids}
        if user is None or audience is None or None in members.values():
            return None
        groups = frozenset(one for one, people in members.items() if place.user in (people or ()))
        return self._actor(user, groups, audience)

    async def _groups_of(self, user_id: str, *, fresh: bool) -> frozenset[str]:
        ids = self._group_ids
        members = await asyncio.gather(*(self._members(one, fresh=fresh) for one in ids))
        return frozenset(one for one, people in zip(ids, members, strict=True) if user_id in people)

    async def _user(self, user_id: str, *, fresh: bool) -> Json:
        kept = None if fresh else _young(self._users.get(user_id))
        if kept is not None:
            return kept
        user = await self._api.user(user_id, within=WITHIN)
        if user.get("id") != user_id:
            raise Unreached("Slack answered about somebody else")
        self._users[user_id] = (time.monotonic(), user)
        return user

    async def _members(self, group_id: str, *, fresh: bool) -> frozenset[str]:
        kept = None if fresh else _young(self._groups.get(group_id))
        if kept is not None:
            return kept
        try:
            members = await self._api.group_members(group_id, within=WITHIN)
        except Refusal as error:
            if error.code not in _GONE_GROUP:
                raise
            # A group that was deleted has no members; it must not lock out everybody else.
            log.warning("a user group of the settings does not exist", group=group_id)
            members = frozenset()
        self._groups[group_id] = (time.monotonic(), members)
        return members
