"""What people do that reaches the app as an event: opening its Home, writing, mentioning it."""

from local_slack.acts.commands import escaped
from local_slack.acts.payloads import event_payload
from local_slack.acts.standing import awake, who_and_where
from local_slack.delivery.parcel import Outcome
from local_slack.errors import NotPossible
from local_slack.messages import Channel, Message
from local_slack.posting import post
from local_slack.shapes import Json
from local_slack.slack import Slack


async def open_home(slack: Slack, asked: Json) -> Json:
    """Open the app's Home tab."""
    person = awake(slack, asked)
    if not slack.manifest.home_tab:
        raise NotPossible("the manifest has the Home tab off")
    channel = slack.conversations.direct(person.id)
    view = slack.views.home(person.id)
    event: Json = {
        "type": "app_home_opened",
        "user": person.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": slack.conversations.next_ts(),
    }
    if view is not None:
        event["view"] = slack.view_json(view)
    return _told(await send_event(slack, "app_home_opened", event))


async def say(slack: Slack, asked: Json) -> Json:
    """Write an ordinary message; the app hears of it as far as it subscribed."""
    person, channel = who_and_where(slack, asked)
    if channel.is_archived:
        raise NotPossible(f"#{channel.name} is archived")
    if channel.is_im and not slack.manifest.messages_tab_writable:
        raise NotPossible("sending messages to this app has been turned off")
    text = str(asked.get("text") or "")
    if not text:
        raise NotPossible("an empty message can't be sent")
    bot = slack.workspace.bot_user_id
    written = (
        escaped(text)
        .replace(f"&lt;@{bot}&gt;", f"<@{bot}>")
        .replace(f"@{slack.manifest.bot_name}", f"<@{bot}>")
    )
    content = {"text": written, "thread_ts": asked.get("thread_ts")}
    message = post(slack, channel, content, author=person.id)
    outcomes = [
        await send_event(slack, name, event) for name, event in _heard(slack, channel, message)
    ]
    sent = [outcome for outcome in outcomes if outcome is not None]
    return {
        "delivered": any(outcome.acknowledged for outcome in sent),
        "ts": message.ts,
        "shown": None,
    }


def _heard(slack: Slack, channel: Channel, message: Message) -> list[tuple[str, Json]]:
    """The events that a message causes: (subscription, event)."""
    bot = slack.workspace.bot_user_id
    if bot not in channel.members:
        return []
    kinds = {"im": "im", "groups": "group", "channels": "channel"}
    kind = kinds[channel.scope_kind]
    event = message.as_json() | {
        "channel": channel.id,
        "channel_type": kind,
        "event_ts": message.ts,
    }
    heard = [(f"message.{channel.scope_kind}", event)]
    if f"<@{bot}>" in message.text and not channel.is_im:
        heard.append(("app_mention", event | {"type": "app_mention"}))
    return heard


async def send_event(slack: Slack, subscription: str, event: Json) -> Outcome | None:
    """Send an event if the app subscribed to it; None if not."""
    if not slack.manifest.subscribes(subscription):
        return None
    return await slack.courier.event(event_payload(slack, event))


def _told(outcome: Outcome | None) -> Json:
    if outcome is None:
        return {"delivered": False, "acked_in_ms": None, "shown": None, "failure": "not_subscribed"}
    return {**outcome.as_json(), "shown": None}
