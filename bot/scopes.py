"""What Slack lets the bot do: named in the header of its answers (docs.slack.dev, "Using OAuth scopes")."""

from collections.abc import Mapping

from knowledge_base_agent.deployment import SlackScopes

WANTED = frozenset(
    {
        *("commands", "chat:write", "files:write", "users:read", "usergroups:read"),
        *("channels:read", "groups:read", "im:read", "mpim:read"),  # all for conversations.info
        *("channels:history", "groups:history"),  # the audit channel, read back
    }
)
"""What the code needs, which is what `app_manifest.yaml` asks for; a test holds the two together."""
_HEADER = "x-oauth-scopes"


class Scopes:
    """What was granted, once Slack has told."""

    def __init__(self) -> None:
        self._granted: frozenset[str] | None = None

    def read(self, headers: Mapping[str, object]) -> None:
        """Take them from the headers of an answer; headers without them change nothing."""
        for name, value in headers.items():
            if name.lower() == _HEADER:
                self._granted = frozenset(
                    one.strip() for one in str(value).split(",") if one.strip()
                )

    def told(self) -> SlackScopes | None:
        """Return what is granted and what is wanted, or None as long as Slack has not told."""
        if self._granted is None:
            return None
        return SlackScopes(granted=self._granted, wanted=WANTED)
