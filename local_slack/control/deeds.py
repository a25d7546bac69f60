"""POST /control/…: what people do and what tests arrange. Every body and answer is JSON."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from local_slack.acts.clicks import click
from local_slack.acts.commands import type_command
from local_slack.acts.events import open_home, say
from local_slack.acts.forms import close_view, submit
from local_slack.acts.shortcuts import shortcut, suggest
from local_slack.blocks.layout import BLOCKS
from local_slack.errors import BadSetup, NotPossible
from local_slack.shapes import Json
from local_slack.slack import Slack

Deed = Callable[[Slack, Json], Awaitable[Json]]


async def fail(slack: Slack, asked: Json) -> Json:
    """Order the next calls of a method to fail: {method, times, how, error?, retry_after?, seconds?}."""
    if asked.get("clear"):
        slack.failures.clear()
    else:
        slack.failures.order(asked)
    return {"failures": slack.failures.open_orders()}


async def refuse_block(slack: Slack, asked: Json) -> Json:
    """Pretend not to know a block type: {type}, or {clear: true}."""
    if asked.get("clear"):
        slack.refused_blocks.clear()
    elif asked.get("type") not in BLOCKS:
        raise NotPossible(f"type is one of {', '.join(sorted(BLOCKS))}")
    else:
        slack.refused_blocks.add(asked["type"])
    return {"refused": sorted(slack.refused_blocks)}


async def disconnect(slack: Slack, asked: Json) -> Json:
    """Ask the app to reconnect, {reason, close?}; or {cut: true}: the connections break without a word."""
    sockets = slack.courier.sockets
    if asked.get("cut"):
        return {"connections": await sockets.cut()}
    reason = str(asked.get("reason", "refresh_requested"))
    if reason not in ("warning", "refresh_requested", "link_disabled"):
        raise NotPossible("reason is warning, refresh_requested or link_disabled")
    return {"connections": await sockets.disconnect(reason, close=bool(asked.get("close")))}


async def redeliver_last(slack: Slack, asked: Json) -> Json:
    """Send the last payload again, in the same envelope: {kind?: slash_commands | interactive | events_api}."""
    outcome = await slack.courier.again(asked.get("kind"))
    return outcome.as_json()


async def bot_url(slack: Slack, asked: Json) -> Json:
    """Send to this URL from now on, {url}; null goes back to Socket Mode."""
    slack.courier.http.url = asked.get("url")
    return {"url": slack.courier.http.url}


async def verify_url(slack: Slack, asked: Json) -> Json:
    """Slack's url_verification of the bot's URL."""
    if not slack.courier.http.url:
        raise NotPossible("no bot URL is set")
    return {
        "verified": await slack.courier.http.verify(
            str(asked.get("challenge", "3eZbrw1aBm2rZgRNFdxV"))
        )
    }


async def person(slack: Slack, asked: Json) -> Json:
    """Change a person's flags, as an admin of the workspace would: {user, deleted?, is_restricted?, …}."""
    changed = slack.person(asked.get("user")).changed(
        {key: asked[key] for key in asked if key != "user"}
    )
    slack.people[changed.id] = changed
    return {"user": changed.on_page()}


async def group(slack: Slack, asked: Json) -> Json:
    """Change who is in a user group: {group, users}."""
    wanted = str(asked.get("group", "")).removeprefix("@")
    found = next((item for item in slack.groups.values() if wanted in (item.id, item.handle)), None)
    if found is None:
        raise NotPossible(f"there is no user group {wanted!r}")
    users = tuple(slack.person(user).id for user in asked.get("users", ()))
    slack.groups[found.id] = replace(found, users=users)
    return {"group": found.id, "users": list(users)}


async def membership(slack: Slack, asked: Json) -> Json:
    """Put someone (or the app, by its name) into a channel or take them out: {user, channel, member: bool}."""
    channel = slack.conversations.get(str(asked.get("channel", "")))
    if channel is None:
        raise NotPossible(f"there is no channel {asked.get('channel')!r}")
    user = slack.person(asked.get("user")).id
    channel.members.add(user) if asked.get("member", True) else channel.members.discard(user)
    return {"members": sorted(channel.members)}


_SHARING = ("is_ext_shared", "is_pending_ext_shared", "is_org_shared")


async def sharing(slack: Slack, asked: Json) -> Json:
    """Change with whom a channel is shared: {channel, is_ext_shared?, is_pending_ext_shared?, is_org_shared?}."""
    channel = slack.conversations.get(str(asked.get("channel", "")))
    flags = {key: asked[key] for key in asked if key != "channel"}
    if channel is None or not set(flags) <= set(_SHARING):
        raise NotPossible(f"name a channel and some of {', '.join(_SHARING)}")
    for flag, value in flags.items():
        setattr(channel, flag, bool(value))
    return {flag: getattr(channel, flag) for flag in _SHARING}


async def channel(slack: Slack, asked: Json) -> Json:
    """Archive or delete a channel, or bring it back: {channel, archived?: bool, deleted?: bool}."""
    found = slack.conversations.any(str(asked.get("channel", "")))
    if found is None:
        raise NotPossible(f"there is no channel {asked.get('channel')!r}")
    found.is_archived = bool(asked.get("archived", found.is_archived))
    found.is_deleted = bool(asked.get("deleted", found.is_deleted))
    return {"archived": found.is_archived, "deleted": found.is_deleted}


async def limits(slack: Slack, asked: Json) -> Json:
    """Switch Slack's limit of one message a second and channel on or off: {posts: bool}."""
    slack.limit_posts = bool(asked.get("posts"))
    return {"posts": slack.limit_posts}


async def reset(slack: Slack, asked: Json) -> Json:
    """Forget all messages, views, changes and orders; the app stays connected."""
    slack.forget_everything()
    return {}


DEEDS: Mapping[str, Deed] = {
    "command": type_command,
    "say": say,
    "click": click,
    "submit": submit,
    "close_view": close_view,
    "home": open_home,
    "shortcut": shortcut,
    "suggest": suggest,
    "fail": fail,
    "refuse_block": refuse_block,
    "disconnect": disconnect,
    "redeliver_last": redeliver_last,
    "bot_url": bot_url,
    "verify_url": verify_url,
    "person": person,
    "group": group,
    "membership": membership,
    "sharing": sharing,
    "channel": channel,
    "limits": limits,
    "reset": reset,
}


async def do(slack: Slack, name: str, asked: Json) -> tuple[int, Json]:
    """Do a deed; (HTTP status, answer). 409 says why it can't be done."""
    deed = DEEDS.get(name)
    if deed is None:
        return 404, {"error": f"there is no /control/{name}; there is {', '.join(DEEDS)}"}
    try:
        return 200, await deed(slack, asked)
    except (NotPossible, BadSetup) as impossible:
        return 409, {"error": str(impossible)}
