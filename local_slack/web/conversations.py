"""conversations.* and reactions.*: channels and what is in them."""

from local_slack.errors import Refusal, invalid
from local_slack.messages import Channel, Message
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.web.call import Call, Spec

_OTHER_TEAM = "T0OTHER00"
_KINDS = ("public_channel", "private_channel", "im", "mpim")


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def _sharing(channel: Channel) -> Json:
    return {
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": channel.is_pending_ext_shared,
        "is_org_shared": channel.is_org_shared,
        "is_shared": channel.is_ext_shared or channel.is_org_shared,
        "pending_shared": [_OTHER_TEAM] if channel.is_pending_ext_shared else [],
    }


def channel_json(slack: Slack, channel: Channel) -> Json:
    """The channel object."""
    shown: Json = {
        "id": channel.id,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_mpim": False,
        **_sharing(channel),
        "context_team_id": slack.workspace.team_id,
    }
    if channel.is_im:
        other = next(member for member in channel.members if member != slack.workspace.bot_user_id)
        return shown | {
            "user": other,
            "is_user_deleted": slack.people[other].deleted,
            "is_open": True,
        }
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_private": channel.is_private,
        "is_general": False,
        "is_member": slack.workspace.bot_user_id in channel.members,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def info(call: Call) -> Json:
    """conversations.info."""
    channel = call.channel()
    call.needs_scope(f"{channel.scope_kind}:read")
    return {"channel": channel_json(call.slack, channel)}


def _visible(call: Call) -> list[Channel]:
    """The channels of the wanted types that exist for the app."""
    wanted = [kind.strip() for kind in (call.text("types") or "public_channel").split(",")]
    if not set(wanted) <= set(_KINDS):
        raise Refusal("invalid_types")
    bot, found = call.slack.workspace.bot_user_id, []
    for kind, scope in zip(_KINDS, ("channels", "groups", "im", "mpim"), strict=True):
        if kind in wanted:
            call.needs_scope(f"{scope}:read")
    for channel in call.slack.conversations:
        hidden = (channel.is_private or channel.is_im) and bot not in channel.members
        archived = channel.is_archived and call.flag("exclude_archived")
        if _kind(channel) in wanted and not hidden and not archived:
            found.append(channel)
    return found


def list_all(call: Call) -> Json:
    """conversations.list."""
    channels, metadata = call.page(_visible(call))
    return {
        "channels": [channel_json(call.slack, channel) for channel in channels],
        "response_metadata": metadata,
    }


def of_user(call: Call) -> Json:
    """users.conversations: of the app itself, unless a user is named."""
    user = call.text("user") or call.slack.workspace.bot_user_id
    if user not in call.slack.people:
        raise Refusal("user_not_found")
    mine = [channel for channel in _visible(call) if user in channel.members]
    channels, metadata = call.page(mine)
    return {
        "channels": [channel_json(call.slack, channel) for channel in channels],
        "response_metadata": metadata,
    }


def members(call: Call) -> Json:
    """conversations.members."""
    channel = call.channel()
    call.needs_scope(f"{channel.scope_kind}:read")
    listed, metadata = call.page(sorted(channel.members))
    return {"members": listed, "response_metadata": metadata}


def _readable(call: Call) -> Channel:
    channel = call.channel()
    call.needs_scope(f"{channel.scope_kind}:history")
    if call.slack.workspace.bot_user_id not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def _between(call: Call, message: Message) -> bool:
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999"
    try:
        return float(oldest) < float(message.ts) < float(latest) or (
            call.flag("inclusive") and message.ts in (oldest, latest)
        )
    except ValueError:
        raise Refusal("invalid_ts_oldest") from None


def history(call: Call) -> Json:
    """conversations.history: newest first, without replies and without ephemeral messages."""
    channel = _readable(call)
    shown = [
        message
        for message in reversed(channel.messages)
        if not message.ephemeral_to
        and (not message.thread_ts or message.reply_broadcast)
        and _between(call, message)
    ]
    page, metadata = call.page(shown)
    return {
        "messages": [_with_thread(call, channel, message) for message in page],
        "has_more": bool(metadata["next_cursor"]),
        "response_metadata": metadata,
    }


def _with_thread(call: Call, channel: Channel, message: Message) -> Json:
    shown = message.as_json()
    if call.flag("include_all_metadata") and message.metadata:
        shown["metadata"] = message.metadata
    replies = [reply for reply in channel.replies(message.ts) if not reply.ephemeral_to]
    if replies:
        shown |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "latest_reply": replies[-1].ts,
        }
    return shown


def replies(call: Call) -> Json:
    """conversations.replies: the parent first."""
    channel = _readable(call)
    parent = channel.find(call.need("ts"))
    if parent is None or parent.ephemeral_to:
        raise Refusal("thread_not_found")
    thread = [parent, *(reply for reply in channel.replies(parent.ts) if not reply.ephemeral_to)]
    page, metadata = call.page(thread)
    return {
        "messages": [_with_thread(call, channel, message) for message in page],
        "has_more": bool(metadata["next_cursor"]),
        "response_metadata": metadata,
    }


def open_direct(call: Call) -> Json:
    """conversations.open: a direct message with one person."""
    users = [user for user in call.text("users").split(",") if user]
    if call.text("channel"):
        users = [
            member
            for member in call.channel().members
            if member != call.slack.workspace.bot_user_id
        ]
    if not users:
        raise invalid("invalid_arguments", ["missing required field: users"])
    if len(users) > 1:
        raise Refusal("method_not_supported_for_channel_type")
    person = call.slack.people.get(users[0])
    if person is None:
        raise Refusal("user_not_found")
    if person.deleted:
        raise Refusal("user_disabled")
    if person.is_bot:
        raise Refusal("cannot_dm_bot")
    channel = call.slack.conversations.direct(person.id)
    shown = channel_json(call.slack, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": shown}


def react(call: Call) -> Json:
    """reactions.add."""
    channel, name = call.channel(), call.need("name").strip(":")
    message = channel.find(call.need("timestamp"))
    if message is None or message.ephemeral_to:
        raise Refusal("message_not_found")
    users = message.reactions.setdefault(name, [])
    if call.slack.workspace.bot_user_id in users:
        raise Refusal("already_reacted")
    users.append(call.slack.workspace.bot_user_id)
    return {}


METHODS = {
    "conversations.info": Spec(run=info, accepts_json=False),
    "conversations.list": Spec(run=list_all, accepts_json=False),
    "conversations.members": Spec(run=members, accepts_json=False),
    "conversations.history": Spec(run=history),
    "conversations.replies": Spec(run=replies, accepts_json=False),
    "conversations.open": Spec(run=open_direct, scope="im:write"),
    "users.conversations": Spec(run=of_user, accepts_json=False),
    "reactions.add": Spec(run=react, scope="reactions:write"),
}
