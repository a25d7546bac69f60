"""The bot scopes and events that Slack has (docs.slack.dev/reference/scopes)."""

from collections.abc import Mapping

_SCOPES = """
app_mentions:read bookmarks:read bookmarks:write channels:history channels:join channels:manage channels:read
chat:write chat:write.customize chat:write.public commands emoji:read files:read files:write groups:history
groups:read groups:write im:history im:read im:write incoming-webhook links:read links:write
metadata.message:read mpim:history mpim:read mpim:write pins:read pins:write reactions:read reactions:write
reminders:read reminders:write team:read usergroups:read usergroups:write users.profile:read users:read
users:read.email users:write workflow.steps:execute
"""
KNOWN_SCOPES = frozenset(_SCOPES.split())

# What each event that the local Slack can send asks for (docs.slack.dev/reference/events); None: no scope.
EVENT_SCOPES: Mapping[str, str | None] = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "user_change": "users:read",
    "subteam_updated": "usergroups:read",
    "app_uninstalled": None,
    "tokens_revoked": None,
}
