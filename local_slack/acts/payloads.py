"""The parts that payloads share (docs.slack.dev/reference/interaction-payloads)."""

import secrets
import time

from local_slack.messages import Channel
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.workspace import Person

# The old verification token; apps are told to check signatures instead.
_TOKEN = "local-verification-token"  # noqa: S105


def common(slack: Slack, kind: str, person: Person) -> Json:
    """What every interaction payload has."""
    workspace = slack.workspace
    return {
        "type": kind,
        "token": _TOKEN,
        "api_app_id": workspace.app_id,
        "team": {"id": workspace.team_id, "domain": workspace.team_domain},
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": person.team_id,
        },
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_part(channel: Channel) -> Json:
    """How payloads name a channel."""
    if channel.is_im:
        return {"id": channel.id, "name": "directmessage"}
    return {"id": channel.id, "name": "privategroup" if channel.is_private else channel.name}


def command_payload(
    slack: Slack, person: Person, channel: Channel, command: str, text: str
) -> dict[str, str]:
    """The fields of a slash command."""
    workspace = slack.workspace
    key = slack.hooks.new(channel.id, person.id)
    return {
        "token": _TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_part(channel)["name"],
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": f"{slack.base_url}/commands/{workspace.team_id}/{key}",
        "trigger_id": slack.triggers.new(person.id),
    }


def event_payload(slack: Slack, event: Json) -> Json:
    """The wrapper of an event."""
    workspace = slack.workspace
    return {
        "token": _TOKEN,
        "team_id": workspace.team_id,
        "api_app_id": workspace.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": "Ev" + secrets.token_hex(5).upper(),
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": workspace.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": secrets.token_hex(12),
    }
