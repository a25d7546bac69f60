"""GET /control/…: what a person sees, and what the app did."""

from collections.abc import Callable, Mapping

from local_slack.errors import NotPossible
from local_slack.messages import Channel
from local_slack.shapes import Json
from local_slack.slack import Slack


def messages(slack: Slack, query: Mapping[str, str]) -> Json:
    """Messages of `channel` (all if absent) as `user` sees them (everybody's if absent), oldest first."""
    user = slack.person(query["user"]).id if "user" in query else None
    channels = _channels(slack, query.get("channel"), user)
    found = [
        {
            **message.on_page(len(channel.replies(message.ts))),
            "channel": channel.id,
            "channel_name": channel.name,
        }
        for channel in channels
        for message in channel.messages
        if user is None or channel.sees(user, message)
    ]
    found.sort(key=lambda message: message["ts"])
    return {"messages": found, "latest_change": slack.conversations.latest_change}


def _channels(slack: Slack, wanted: str | None, user: str | None) -> list[Channel]:
    if not wanted:
        return list(slack.conversations)
    if wanted == "app":
        if user is None:
            raise NotPossible("the direct message with the app needs a user")
        return [slack.conversations.direct(user)]
    channel = slack.conversations.get(wanted)
    if channel is None:
        raise NotPossible(f"there is no channel {wanted!r}")
    return [channel]


def views(slack: Slack, query: Mapping[str, str]) -> Json:
    """The modals that `user` has open (topmost last) and their Home tab."""
    user = slack.person(query.get("user")).id
    home = slack.views.home(user)
    return {
        "views": [slack.view_json(view) for view in slack.views.stack(user)],
        "home": slack.view_json(home) if home else None,
    }


def requests(slack: Slack, query: Mapping[str, str]) -> Json:
    """What the app called, oldest first; `method` narrows it."""
    return {"requests": slack.requests.all(query.get("method"))}


def state(slack: Slack, query: Mapping[str, str]) -> Json:
    """The whole in short, with what a test needs to start an app."""
    return {
        "app_connected": slack.courier.connected,
        "connections": len(slack.courier.sockets.connections),
        "bot_url": slack.courier.http.url,
        "bot_token": slack.tokens.bot,
        "app_token": slack.tokens.app,
        "signing_secret": slack.tokens.signing_secret,
        "bot_user_id": slack.workspace.bot_user_id,
        "scopes": list(slack.manifest.scopes),
        "failures": slack.failures.open_orders(),
        "refused_blocks": sorted(slack.refused_blocks),
        "latest_change": slack.conversations.latest_change,
        "users": [person.on_page() for person in slack.people.values()],
        "groups": [{"id": group.id, "handle": group.handle} for group in slack.groups.values()],
        "channels": [{"id": channel.id, "name": channel.name} for channel in slack.conversations],
    }


LOOKS: Mapping[str, Callable[[Slack, Mapping[str, str]], Json]] = {
    "messages": messages,
    "views": views,
    "requests": requests,
    "state": state,
}


def look(slack: Slack, name: str, query: Mapping[str, str]) -> tuple[int, Json]:
    """Look at something; (HTTP status, answer)."""
    wanted = LOOKS.get(name)
    if wanted is None:
        return 404, {"error": f"there is no GET /control/{name}; there is {', '.join(LOOKS)}"}
    try:
        return 200, wanted(slack, query)
    except NotPossible as impossible:
        return 409, {"error": str(impossible)}
