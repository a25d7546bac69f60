"""What the page reads: the state as one person sees it, and the feed of what changes."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from local_slack.errors import NotPossible
from local_slack.messages import Channel
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.workspace import Person


def state(slack: Slack, query: Mapping[str, str]) -> Json:
    """GET /page/state?user=…; without a user, as the first person of the workspace who can act."""
    me = slack.person(query["user"]) if query.get("user") else _first(slack)
    slack.conversations.direct(me.id)
    home = slack.views.home(me.id)
    workspace = slack.workspace
    return {
        "team": {"id": workspace.team_id, "name": workspace.team_name},
        "me": me.on_page(),
        "users": [person.on_page() for person in slack.people.values()],
        "usergroups": _groups(slack),
        "channels": [
            _channel(slack, me, channel)
            for channel in slack.conversations
            if _exists_for(me, channel)
        ],
        "commands": _commands(slack),
        "app": {
            "name": slack.manifest.name,
            "bot_user_id": workspace.bot_user_id,
            "id": workspace.app_id,
        },
        "home": slack.view_json(home) if home else None,
        "views": [slack.view_json(view) for view in slack.views.stack(me.id)],
        "completions": completions(slack, {}),
        "app_connected": slack.courier.connected,
    }


def _groups(slack: Slack) -> list[Json]:
    return [
        {"id": group.id, "handle": group.handle, "name": group.name, "users": list(group.users)}
        for group in slack.groups.values()
    ]


def _commands(slack: Slack) -> list[Json]:
    return [
        {"command": item.command, "description": item.description, "usage_hint": item.usage_hint}
        for item in slack.manifest.commands
    ]


def _first(slack: Slack) -> Person:
    named = (person for person in slack.people.values() if person.name == "otto")
    return next(named, next(iter(slack.people.values())))


def _exists_for(me: Person, channel: Channel) -> bool:
    """Public channels exist for full members; others only for those who are in them."""
    full = not (me.is_restricted or me.is_stranger or me.deleted)
    public = not channel.is_im and not channel.is_private
    return (me.id in channel.members and not me.deleted) or (public and full)


def _channel(slack: Slack, me: Person, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": slack.manifest.name if channel.is_im else channel.name,
        "topic": channel.topic,
        "is_member": me.id in channel.members,
        "is_im": channel.is_im,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_ext_shared,
        "app_is_member": slack.workspace.bot_user_id in channel.members,
        "user": slack.workspace.bot_user_id if channel.is_im else None,
        "messages": [
            message.on_page(len(channel.replies(message.ts)))
            for message in channel.messages
            if channel.sees(me.id, message)
        ],
    }


def completions(slack: Slack, query: Mapping[str, str]) -> list[str]:
    """The words that may follow a command, out of the manifest's usage hints (`a | b X | c [--d]`)."""
    prefix = (
        query.get("prefix", "").removeprefix("/").partition(" ")[2] if query.get("prefix") else ""
    )
    words = [
        part.strip().split(" ")[0].strip("[]")
        for command in slack.manifest.commands
        for part in command.usage_hint.split("|")
    ]
    return [word for word in dict.fromkeys(words) if word and word.startswith(prefix)]


async def feed(slack: Slack, request: web.Request) -> web.StreamResponse:
    """WebSocket /page/feed?user=…: what changes for that person, as it happens."""
    try:
        user = slack.person(request.query.get("user")).id
    except NotPossible as nobody:
        return web.json_response({"error": str(nobody)}, status=409)
    socket = web.WebSocketResponse(heartbeat=20)
    await socket.prepare(request)
    queue = slack.feed.listen(user)
    sender = asyncio.create_task(_send(socket, queue))
    try:
        await socket.send_json({"type": "connection", "app_connected": slack.courier.connected})
        async for _ in socket:
            pass  # the page only listens; reading notices when it leaves
    finally:
        slack.feed.leave(user, queue)
        sender.cancel()
    return socket


async def _send(socket: web.WebSocketResponse, queue: asyncio.Queue[Json | None]) -> None:
    while (event := await queue.get()) is not None and not socket.closed:
        await socket.send_json(event)
    await socket.close()
