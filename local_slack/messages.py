"""Channels and what is written in them."""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from local_slack.errors import Refusal
from local_slack.shapes import Json
from local_slack.workspace import Room


@dataclass(kw_only=True)
class Message:
    """One message. `ephemeral_to` is the only person who sees it; `change` orders posts and edits of the workspace."""

    channel: str
    ts: str
    user: str
    text: str
    change: int
    bot_id: str | None = None
    app_id: str | None = None
    blocks: list[Json] | None = None
    thread_ts: str | None = None
    reply_broadcast: bool = False
    edited: Json | None = None
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_to: str | None = None
    # What people chose in selects and inputs of this message: block id → action id → value.
    state: dict[str, dict[str, Json]] = field(default_factory=dict)

    def as_json(self) -> Json:
        """The message object as the Web API and payloads have it."""
        shown: Json = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts}
        optional: Json = {
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": self.blocks,
            "thread_ts": self.thread_ts,
            "edited": self.edited,
            "files": self.files or None,
        }
        shown |= {key: value for key, value in optional.items() if value is not None}
        if self.reactions:
            shown["reactions"] = [
                {"name": name, "users": users, "count": len(users)}
                for name, users in self.reactions.items()
            ]
        return shown

    def on_page(self, replies: int = 0) -> Json:
        """The message as the page and the control API have it."""
        shown = self.as_json() | {
            "is_ephemeral": self.ephemeral_to is not None,
            "change": self.change,
        }
        if replies:
            shown["reply_count"] = replies
        return shown


@dataclass(kw_only=True)
class Channel:
    """A channel or a direct message (`is_im`), with its messages in order of time."""

    id: str
    name: str
    topic: str
    members: set[str]
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    is_org_shared: bool = False
    is_archived: bool = False
    is_deleted: bool = False
    is_private: bool = False
    is_im: bool = False
    messages: list[Message] = field(default_factory=list)
    last_post: float = 0.0

    @property
    def scope_kind(self) -> str:
        """The word that its scopes start with: channels, groups or im."""
        if self.is_im:
            return "im"
        return "groups" if self.is_private else "channels"

    def sees(self, user: str, message: Message) -> bool:
        """Whether that person can see the message."""
        return user in self.members and message.ephemeral_to in (None, user)

    def find(self, ts: str) -> Message | None:
        """The message of that time stamp, ephemeral ones included."""
        return next((message for message in self.messages if message.ts == ts), None)

    def replies(self, ts: str) -> list[Message]:
        """The thread below a message, without it."""
        return [
            message for message in self.messages if message.thread_ts == ts and message.ts != ts
        ]


class Conversations:
    """All channels of the workspace, and the clock that stamps messages."""

    def __init__(self, rooms: tuple[Room, ...], bot_user: str) -> None:
        self._bot_user = bot_user
        self._channels = {room.id: _channel(room) for room in rooms}
        self._last_stamp = 0
        self._changes = itertools.count(1)
        self.latest_change = 0

    def __iter__(self) -> Any:
        return iter(one for one in self._channels.values() if not one.is_deleted)

    def get(self, wanted: str) -> Channel | None:
        """A channel by id, or by name with or without #; one that was deleted is not there."""
        found = self.any(wanted)
        return found if found is not None and not found.is_deleted else None

    def any(self, wanted: str) -> Channel | None:
        """The same, deleted ones included."""
        if wanted in self._channels:
            return self._channels[wanted]
        name = wanted.removeprefix("#")
        named = (
            channel
            for channel in self._channels.values()
            if channel.name == name and not channel.is_im
        )
        return next(named, None)

    def need(self, wanted: str) -> Channel:
        """The same, or `channel_not_found`."""
        channel = self.get(wanted) if wanted else None
        if channel is None:
            raise Refusal("channel_not_found")
        return channel

    def direct(self, user: str) -> Channel:
        """The direct message between a person and the app; made when first asked for."""
        id_ = "D" + user[1:]
        if id_ not in self._channels:
            self._channels[id_] = Channel(
                id=id_, name=f"dm-{user}", topic="", members={user, self._bot_user}, is_im=True
            )
        return self._channels[id_]

    def next_ts(self) -> str:
        """A time stamp that no other message has, later than all before."""
        now = max(int(time.time() * 1_000_000), self._last_stamp + 1)
        self._last_stamp = now
        return f"{now // 1_000_000}.{now % 1_000_000:06d}"

    def next_change(self) -> int:
        """The number of a post, an edit or a deletion; they only grow."""
        self.latest_change = next(self._changes)
        return self.latest_change


def _channel(room: Room) -> Channel:
    return Channel(
        id=room.id,
        name=room.name,
        topic=room.topic,
        members=set(room.members),
        is_ext_shared=room.is_ext_shared,
        is_archived=room.is_archived,
        is_private=room.is_private,
    )
