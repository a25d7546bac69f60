"""Writing, changing and deleting messages, and telling the pages of those who see it."""

from local_slack.blocks.parts import initial_state, with_ids
from local_slack.messages import Channel, Message
from local_slack.shapes import Json
from local_slack.slack import SLACKBOT, Slack


def post(
    slack: Slack, channel: Channel, content: Json, *, author: str, ephemeral_to: str | None = None
) -> Message:
    """Put a message into a channel. `content` has text, blocks, thread_ts, metadata, files, as far as there are."""
    blocks = with_ids(content["blocks"]) if content.get("blocks") else None
    message = Message(
        channel=channel.id,
        ts=slack.conversations.next_ts(),
        user=author,
        text=content.get("text") or "",
        change=slack.conversations.next_change(),
        blocks=blocks,
        thread_ts=content.get("thread_ts"),
        reply_broadcast=bool(content.get("reply_broadcast")),
        metadata=content.get("metadata"),
        files=content.get("files") or [],
        ephemeral_to=ephemeral_to,
        state=initial_state(blocks),
    )
    if author == slack.workspace.bot_user_id:
        message.bot_id, message.app_id = slack.workspace.bot_id, slack.workspace.app_id
    channel.messages.append(message)
    _tell(slack, channel, message, "ephemeral" if ephemeral_to else "message")
    _tell_of_thread(slack, channel, message)
    return message


def change(slack: Slack, channel: Channel, message: Message, content: Json) -> None:
    """Give a message another text and other blocks; blocks that are not mentioned go when the text changes."""
    if "text" in content:
        message.text = content["text"] or ""
    if "blocks" in content or "text" in content:
        message.blocks = with_ids(content["blocks"]) if content.get("blocks") else None
        message.state = initial_state(message.blocks)
    if content.get("metadata") is not None:
        message.metadata = content["metadata"]
    message.edited = {"user": message.user, "ts": slack.conversations.next_ts()}
    message.change = slack.conversations.next_change()
    _tell(slack, channel, message, "message_changed")


def delete(slack: Slack, channel: Channel, message: Message) -> None:
    """Take a message away."""
    channel.messages.remove(message)
    slack.conversations.next_change()
    event = {"type": "message_deleted", "channel": channel.id, "ts": message.ts}
    slack.feed.tell(_readers(channel, message), event)


def notice(slack: Slack, channel: Channel, user: str, sentence: str) -> None:
    """Slackbot's sentence that only this person sees."""
    message = Message(
        channel=channel.id,
        ts=slack.conversations.next_ts(),
        user=SLACKBOT,
        text=sentence,
        change=slack.conversations.next_change(),
        ephemeral_to=user,
    )
    channel.messages.append(message)
    slack.feed.tell(
        [user], {"type": "notice", "channel": channel.id, "text": sentence, "ts": message.ts}
    )


def _readers(channel: Channel, message: Message) -> set[str]:
    return {message.ephemeral_to} if message.ephemeral_to else channel.members


def _tell(slack: Slack, channel: Channel, message: Message, kind: str) -> None:
    shown = message.on_page(len(channel.replies(message.ts)))
    slack.feed.tell(
        _readers(channel, message), {"type": kind, "channel": channel.id, "message": shown}
    )


def _tell_of_thread(slack: Slack, channel: Channel, reply: Message) -> None:
    parent = channel.find(reply.thread_ts) if reply.thread_ts else None
    if parent is not None and reply.ephemeral_to is None:
        _tell(slack, channel, parent, "message_changed")
