"""The people, groups and channels, as `workspace.yaml` has them when the local Slack starts."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from local_slack.errors import BadSetup
from local_slack.shapes import Json, field, mapping, strings

_FLAGS = (
    "deleted",
    "is_admin",
    "is_bot",
    "is_restricted",
    "is_ultra_restricted",
    "is_stranger",
    "is_workflow_bot",
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of the workspace, or of another organisation (`is_stranger`, Slack Connect)."""

    id: str
    name: str
    real_name: str
    team_id: str
    role_label: str = ""
    avatar_color: str = "#64748b"
    deleted: bool = False
    is_admin: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_workflow_bot: bool = False

    def as_json(self) -> Json:
        """The user object of `users.info`; a deactivated account loses its role flags, as in Slack."""
        shown: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "profile": {
                "real_name": self.real_name,
                "display_name": self.name,
                "team": self.team_id,
            },
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }
        if self.is_workflow_bot:
            shown["is_workflow_bot"] = True
        if self.is_stranger:
            shown["is_stranger"] = True
        return shown if self.deleted else shown | self._roles()

    def _roles(self) -> Json:
        return {
            "tz": "Europe/Berlin",
            "tz_offset": 3600,
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
        }

    def on_page(self) -> Json:
        """What the page shows of them."""
        flags = {name: getattr(self, name) for name in _FLAGS}
        return {
            "id": self.id,
            "name": self.name,
            "real_name": self.real_name,
            "role_label": self.role_label,
            "avatar_color": self.avatar_color,
            "team_id": self.team_id,
            **flags,
        }

    def changed(self, flags: Json) -> "Person":
        """The same person with other flags; `BadSetup` for a flag that people don't have."""
        unknown = sorted(set(flags) - set(_FLAGS))
        if unknown:
            raise BadSetup(f"people have no {', '.join(unknown)}; they have {', '.join(_FLAGS)}")
        wanted: Any = {name: bool(value) for name, value in flags.items()}
        return replace(self, **wanted)


@dataclass(frozen=True, kw_only=True)
class UserGroup:
    """A user group such as @oncall; its id starts with S."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Room:
    """A channel as the file has it."""

    id: str
    name: str
    topic: str
    members: tuple[str, ...]
    is_ext_shared: bool
    is_archived: bool
    is_private: bool


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What the app proves itself with; made up, and open nothing."""

    bot: str
    app: str
    signing_secret: str


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """All of it, frozen: what changes lives in `local_slack.slack.Slack`."""

    team_id: str
    team_name: str
    team_domain: str
    app_id: str
    bot_id: str
    bot_user_id: str
    tokens: Tokens
    people: tuple[Person, ...]
    groups: tuple[UserGroup, ...]
    rooms: tuple[Room, ...]


def read_workspace(path: Path) -> Workspace:
    """Read the workspace file; `BadSetup` says what is wrong with it."""
    try:
        top = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, yaml.YAMLError) as broken:
        raise BadSetup(f"the workspace file {path} can't be read: {broken}") from broken
    where = str(path)
    top = mapping(top, where, {"team", "app", "tokens", "users", "user_groups", "channels"})
    team, app = field(top, "team", dict, where), field(top, "app", dict, where)
    team_id = field(team, "id", str, where)
    workspace = Workspace(
        team_id=team_id,
        team_name=field(team, "name", str, where),
        team_domain=field(team, "domain", str, where),
        app_id=field(app, "id", str, where),
        bot_id=field(app, "bot_id", str, where),
        bot_user_id=field(app, "bot_user_id", str, where),
        tokens=_tokens(field(top, "tokens", dict, where), where),
        people=tuple(_person(item, team_id, where) for item in field(top, "users", list, where)),
        groups=tuple(_group(item, where) for item in field(top, "user_groups", list, where, [])),
        rooms=tuple(_room(item, where) for item in field(top, "channels", list, where)),
    )
    _check_members(workspace, where)
    return workspace


def _tokens(source: Json, where: str) -> Tokens:
    tokens = Tokens(
        bot=field(source, "bot", str, where),
        app=field(source, "app", str, where),
        signing_secret=field(source, "signing_secret", str, where),
    )
    if not tokens.bot.startswith("xoxb-") or not tokens.app.startswith("xapp-"):
        raise BadSetup(f"{where}: a bot token starts with xoxb-, an app token with xapp-")
    return tokens


def _person(item: Any, team_id: str, where: str) -> Person:
    known = {"id", "name", "real_name", "team_id", "role_label", "avatar_color", *_FLAGS}
    source = mapping(item, f"{where} users", known)
    return Person(**{"team_id": team_id, **source})


def _group(item: Any, where: str) -> UserGroup:
    source = mapping(item, f"{where} user_groups", {"id", "handle", "name", "users"})
    return UserGroup(
        id=field(source, "id", str, where),
        handle=field(source, "handle", str, where),
        name=field(source, "name", str, where),
        users=strings(source, "users", where),
    )


def _room(item: Any, where: str) -> Room:
    flags = ("is_ext_shared", "is_archived", "is_private")
    source = mapping(item, f"{where} channels", {"id", "name", "topic", "members", *flags})
    return Room(
        id=field(source, "id", str, where),
        name=field(source, "name", str, where),
        topic=field(source, "topic", str, where, ""),
        members=strings(source, "members", where),
        **{flag: field(source, flag, bool, where, False) for flag in flags},
    )


def _check_members(workspace: Workspace, where: str) -> None:
    people = {person.id for person in workspace.people} | {workspace.bot_user_id}
    named = [
        *(room.members for room in workspace.rooms),
        *(group.users for group in workspace.groups),
    ]
    for members in named:
        for member in members:
            if member not in people:
                raise BadSetup(
                    f"{where}: {member} is a member of something, but nobody has that id"
                )
