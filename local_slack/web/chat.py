"""chat.*: messages (docs.slack.dev/reference/methods, family chat)."""

import time
from typing import Any

from local_slack.blocks.check import check_blocks
from local_slack.errors import Refusal
from local_slack.messages import Channel, Message
from local_slack.posting import change, delete, post
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.web.call import Call, Spec

# A plain message of more is refused; an update has a limit of its own (page of chat.update).
TEXT = 12_000
UPDATED_TEXT = 4_000


def content_of(call: Call, longest: int = TEXT) -> Json:
    """The text, blocks and metadata of a call, checked; only what was given."""
    content: Json = {}
    markdown = call.text("markdown_text")
    if markdown:
        if "text" in call.arguments or "blocks" in call.arguments:
            raise Refusal("markdown_text_conflict")
        content = {"text": markdown, "blocks": [{"type": "markdown", "text": markdown}]}
    if "text" in call.arguments:
        content["text"] = call.text("text")
    blocks = call.structure("blocks", "invalid_blocks_format")
    if blocks is not None:
        content["blocks"] = check_blocks(blocks, "message", call.slack.refused_blocks)
    if call.structure("attachments", "invalid_attachments"):
        raise Refusal("invalid_attachments")
    metadata = call.structure("metadata", "invalid_metadata_format")
    if metadata is not None:
        content["metadata"] = _metadata(metadata)
    if len(content.get("text", "")) > longest:
        raise Refusal("msg_too_long")
    return content


def has_content(content: Json) -> bool:
    """Whether there is anything to show."""
    return bool(content.get("text") or content.get("blocks"))


def _metadata(metadata: Any) -> Json:
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_schema")
    if not isinstance(metadata["event_payload"], dict):
        raise Refusal("invalid_metadata_schema")
    return metadata


def writable(call: Call) -> Channel:
    """The channel of the call, into which the app may write."""
    slack, wanted = call.slack, call.text("channel")
    if wanted in slack.people:
        _check_direct(slack, wanted)
        return slack.conversations.direct(wanted)
    channel = call.channel()
    member = slack.workspace.bot_user_id in channel.members
    if not member and "chat:write.public" not in slack.manifest.scopes:
        raise Refusal("not_in_channel")
    if channel.is_archived:
        raise Refusal("is_archived")
    return channel


def _check_direct(slack: Slack, user: str) -> None:
    if user == slack.workspace.bot_user_id:
        raise Refusal("cannot_dm_bot")
    if slack.people[user].deleted:
        raise Refusal("user_disabled")


def _limit(slack: Slack, channel: Channel) -> None:
    now = time.monotonic()
    if slack.limit_posts and now - channel.last_post < 1.0:
        raise Refusal("ratelimited", retry_after=1)
    channel.last_post = now


def _thread(call: Call, channel: Channel) -> str | None:
    """The thread to answer in; a reply's own time stamp leads to its parent, as in Slack."""
    wanted = call.text("thread_ts")
    if not wanted:
        return None
    parent = channel.find(wanted)
    if parent is None:
        raise Refusal("thread_not_found")
    return parent.thread_ts or parent.ts


def post_message(call: Call) -> Json:
    """chat.postMessage."""
    slack, channel = call.slack, writable(call)
    content = content_of(call)
    if not has_content(content):
        raise Refusal("no_text")
    _limit(slack, channel)
    content |= {
        "thread_ts": _thread(call, channel),
        "reply_broadcast": call.flag("reply_broadcast"),
    }
    message = post(slack, channel, content, author=slack.workspace.bot_user_id)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json()}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral: only `user` sees it, and only while in the channel."""
    slack, channel = call.slack, writable(call)
    user = call.text("user")
    if user not in slack.people:
        raise Refusal("user_not_in_channel")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    content = content_of(call)
    if not has_content(content):
        raise Refusal("no_text")
    content["thread_ts"] = _thread(call, channel)
    message = post(slack, channel, content, author=slack.workspace.bot_user_id, ephemeral_to=user)
    return {"message_ts": message.ts}


def _own(call: Call, channel: Channel, missing: str, foreign: str) -> Message:
    message = channel.find(call.need("ts"))
    if message is None or message.ephemeral_to:
        raise Refusal(missing)  # ephemeral messages can only be changed through their response URL
    if message.user != call.slack.workspace.bot_user_id:
        raise Refusal(foreign)
    return message


def update(call: Call) -> Json:
    """chat.update: only the app's own messages."""
    channel = call.channel()
    message = _own(call, channel, "message_not_found", "cant_update_message")
    content = content_of(call, UPDATED_TEXT)
    if not has_content(content):
        raise Refusal("no_text")
    change(call.slack, channel, message, content)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message.as_json(),
    }


def delete_message(call: Call) -> Json:
    """chat.delete: only the app's own messages."""
    channel = call.channel()
    message = _own(call, channel, "message_not_found", "cant_delete_message")
    delete(call.slack, channel, message)
    return {"channel": channel.id, "ts": message.ts}


def permalink(call: Call) -> Json:
    """chat.getPermalink: here a link to the local page."""
    channel = call.channel()
    message = channel.find(call.need("message_ts"))
    if message is None or message.ephemeral_to:
        raise Refusal("message_not_found")
    link = f"{call.slack.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": Spec(run=post_message, scope="chat:write"),
    "chat.postEphemeral": Spec(run=post_ephemeral, scope="chat:write"),
    "chat.update": Spec(run=update, scope="chat:write"),
    "chat.delete": Spec(run=delete_message, scope="chat:write"),
    "chat.getPermalink": Spec(run=permalink, accepts_json=False),
}
