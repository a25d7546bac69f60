"""Everything that the local Slack remembers, in one place and in memory."""

from collections.abc import Iterator

from local_slack.delivery.courier import Courier
from local_slack.errors import NotPossible
from local_slack.failures import Failures
from local_slack.feed import Feed
from local_slack.files_store import FilesStore
from local_slack.hooks import Hooks
from local_slack.manifest import Manifest, read_manifest
from local_slack.messages import Conversations
from local_slack.options import Options
from local_slack.requests_log import RequestsLog
from local_slack.shapes import Json
from local_slack.triggers import Triggers
from local_slack.views import View, Views
from local_slack.workspace import Person, Tokens, UserGroup, Workspace, read_workspace

SLACKBOT = "USLACKBOT"


class Slack:
    """The workspace as it is now. `base_url` is known once the server listens."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.manifest: Manifest = read_manifest(options.manifest)
        self.workspace: Workspace = read_workspace(options.workspace)
        given = self.workspace.tokens
        self.tokens = Tokens(
            bot=options.bot_token or given.bot,
            app=options.app_token or given.app,
            signing_secret=options.signing_secret or given.signing_secret,
        )
        self.base_url = ""
        self.feed = Feed()
        self.requests = RequestsLog()
        self.courier = Courier(
            options, self.tokens.signing_secret, self.manifest.socket_mode, self.feed
        )
        self.forget_everything()

    def forget_everything(self) -> None:
        """Go back to the workspace file: no messages, no views, no failures ordered. Connections stay."""
        workspace, options = self.workspace, self.options
        self.people: dict[str, Person] = {
            person.id: person for person in (*workspace.people, _bot(workspace, self))
        }
        self.groups: dict[str, UserGroup] = {group.id: group for group in workspace.groups}
        self.conversations = Conversations(workspace.rooms, workspace.bot_user_id)
        self.views = Views()
        self.triggers = Triggers(options.trigger_seconds)
        self.hooks = Hooks(options.hook_uses, options.hook_seconds)
        self.files = FilesStore()
        self.failures = Failures()
        self.refused_blocks: set[str] = set()
        self.limit_posts = options.limit_posts
        self.requests.clear()

    def person(self, wanted: object) -> Person:
        """A person by id or name (with or without @); `NotPossible` when there is nobody of that name."""
        name = str(wanted or "").removeprefix("@")
        for person in self.people.values():
            if name in (person.id, person.name):
                return person
        raise NotPossible(f"there is nobody called {wanted!r}; there are {', '.join(self.names())}")

    def names(self) -> Iterator[str]:
        """The names of all people."""
        return (person.name for person in self.people.values())

    def view_json(self, view: View) -> Json:
        """A view as answers and payloads have it."""
        workspace = self.workspace
        return view.as_json(workspace.team_id, workspace.app_id, workspace.bot_id)


def _bot(workspace: Workspace, slack: Slack) -> Person:
    return Person(
        id=workspace.bot_user_id,
        name=slack.manifest.bot_name,
        real_name=slack.manifest.name,
        team_id=workspace.team_id,
        role_label="App",
        avatar_color="#111827",
        is_bot=True,
    )
