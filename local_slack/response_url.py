"""Answers to a response URL (docs.slack.dev/interactivity/handling-user-interaction#message_responses)."""

import json
from typing import Any

from aiohttp import web

from local_slack.blocks.check import check_blocks
from local_slack.errors import Refusal
from local_slack.hooks import Hook
from local_slack.messages import Channel, Message
from local_slack.posting import change, delete, post
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.web.failing import suffer


async def respond(slack: Slack, request: web.Request) -> web.StreamResponse:
    """POST of JSON (or a form with `payload`): five times within thirty minutes."""
    key = f"{request.match_info['number']}/{request.match_info['secret']}"
    try:
        content = await _content(request)
    except ValueError:
        return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
    noted = slack.requests.note("response_url", content)
    failure = slack.failures.take("response_url")
    if failure is not None:
        return await suffer(failure, request)
    try:
        hook = slack.hooks.use(key)
        _apply(slack, hook, content)
    except Refusal as refused:
        noted["answer"] = refused.as_json()
        status = 404 if refused.error in ("expired_url", "used_url", "no_such_url") else 400
        return web.json_response(refused.as_json(), status=status)
    noted["answer"] = {"ok": True}
    return web.json_response({"ok": True})


async def _content(request: web.Request) -> Json:
    body = await request.text()
    if request.content_type == "application/x-www-form-urlencoded":
        body = str((await request.post()).get("payload", ""))
    loaded: Any = json.loads(body or "{}")
    return loaded if isinstance(loaded, dict) else {}


def _apply(slack: Slack, hook: Hook, content: Json) -> None:
    channel = slack.conversations.need(hook.channel)
    original = channel.find(hook.message_ts) if hook.message_ts else None
    if content.get("delete_original"):
        if original is not None:
            delete(slack, channel, original)
        return
    if content.get("blocks"):
        check_blocks(content["blocks"], "message", slack.refused_blocks)
    if not content.get("text") and not content.get("blocks"):
        raise Refusal("no_text")
    if content.get("replace_original") and original is not None:
        _replace(slack, channel, original, content)
        return
    _post(slack, hook, channel, content)


def _replace(slack: Slack, channel: Channel, original: Message, content: Json) -> None:
    wanted: Json = {key: content[key] for key in ("text", "blocks") if key in content}
    change(slack, channel, original, wanted)


def _post(slack: Slack, hook: Hook, channel: Channel, content: Json) -> None:
    public = content.get("response_type") == "in_channel"
    told = {
        "text": content.get("text"),
        "blocks": content.get("blocks"),
        "thread_ts": content.get("thread_ts"),
    }
    post(
        slack,
        channel,
        told,
        author=slack.workspace.bot_user_id,
        ephemeral_to=None if public else hook.user,
    )
