"""Reads the app's manifest: what the app may call, and what it is sent.

Stricter than Slack's own schema in what matters here: a scope or an event that Slack does not have is refused, and an
event without the scope that Slack asks for it too.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_slack.errors import BadSetup
from local_slack.scopes import EVENT_SCOPES, KNOWN_SCOPES
from local_slack.shapes import Json, field, mapping, strings


@dataclass(frozen=True, kw_only=True)
class Command:
    """A slash command, as the manifest declares it."""

    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """A global or message shortcut."""

    name: str
    kind: str
    callback_id: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The app as Slack knows it."""

    name: str
    bot_name: str
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    scopes: tuple[str, ...]
    events: tuple[str, ...]
    interactivity: bool
    socket_mode: bool
    home_tab: bool
    messages_tab_writable: bool

    def command(self, name: str) -> Command | None:
        """The declared command of that name (with its slash)."""
        return next((command for command in self.commands if command.command == name), None)

    def subscribes(self, event: str) -> bool:
        """Whether the app asked for this event."""
        return event in self.events


def read_manifest(path: Path) -> Manifest:
    """Read `path`; raise `BadSetup` for what Slack would refuse or silently ignore."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadSetup(f"there is no manifest at {path}") from None
    except yaml.YAMLError as broken:
        raise BadSetup(f"{path} is not YAML: {broken}") from broken
    return manifest_of(loaded, str(path))


def manifest_of(loaded: Any, where: str) -> Manifest:
    """Check a loaded manifest; `where` starts each complaint."""
    top = mapping(
        loaded, where, {"_metadata", "display_information", "features", "oauth_config", "settings"}
    )
    shown = field(top, "display_information", dict, where)
    features = mapping(
        top.get("features"),
        f"{where} features",
        {"app_home", "bot_user", "slash_commands", "shortcuts"},
    )
    settings = field(top, "settings", dict, where)
    scopes = _scopes(top, where)
    commands = tuple(_command(item, where) for item in features.get("slash_commands") or [])
    _check_commands(commands, scopes, where)
    home = field(features, "app_home", dict, where, {})
    tab, read_only = "messages_tab_enabled", "messages_tab_read_only_enabled"
    interactivity = field(settings, "interactivity", dict, where, {})
    return Manifest(
        name=field(shown, "name", str, f"{where} display_information"),
        bot_name=field(field(features, "bot_user", dict, where), "display_name", str, where),
        commands=commands,
        shortcuts=tuple(_shortcut(item, where) for item in features.get("shortcuts") or []),
        scopes=scopes,
        events=_events(settings, scopes, where),
        interactivity=_switch(interactivity, "is_enabled", where),
        socket_mode=_switch(settings, "socket_mode_enabled", where),
        home_tab=_switch(home, "home_tab_enabled", where),
        messages_tab_writable=_switch(home, tab, where) and not _switch(home, read_only, where),
    )


def _switch(source: Json, key: str, where: str) -> bool:
    return field(source, key, bool, where, False)


def _scopes(top: Json, where: str) -> tuple[str, ...]:
    oauth = field(top, "oauth_config", dict, where)
    scopes = strings(field(oauth, "scopes", dict, where), "bot", f"{where} oauth_config.scopes")
    unknown = sorted(set(scopes) - KNOWN_SCOPES)
    if unknown:
        raise BadSetup(f"{where}: Slack has no bot scope {', '.join(unknown)}")
    return scopes


def _events(settings: Json, scopes: tuple[str, ...], where: str) -> tuple[str, ...]:
    subscriptions = field(settings, "event_subscriptions", dict, where, {})
    events = strings(subscriptions, "bot_events", f"{where} event_subscriptions")
    for event in events:
        if event not in EVENT_SCOPES:
            raise BadSetup(f"{where}: the local Slack knows no event {event}")
        needed = EVENT_SCOPES[event]
        if needed and needed not in scopes:
            raise BadSetup(f"{where}: the event {event} needs the scope {needed}")
    return events


def _command(item: Any, where: str) -> Command:
    known = {"command", "url", "description", "usage_hint", "should_escape"}
    source = mapping(item, f"{where} slash_commands", known)
    return Command(
        command=field(source, "command", str, f"{where} slash_commands"),
        description=field(source, "description", str, f"{where} slash_commands"),
        usage_hint=field(source, "usage_hint", str, where, ""),
        should_escape=field(source, "should_escape", bool, where, False),
    )


def _check_commands(commands: tuple[Command, ...], scopes: tuple[str, ...], where: str) -> None:
    names = [command.command for command in commands]
    if len(set(names)) != len(names):
        raise BadSetup(f"{where}: a slash command is declared twice")
    for name in names:
        if not name.startswith("/") or name != name.lower() or " " in name or len(name) > 32:
            raise BadSetup(f"{where}: {name!r} is no name for a slash command")
    if commands and "commands" not in scopes:
        raise BadSetup(f"{where}: slash commands need the scope commands")


def _shortcut(item: Any, where: str) -> Shortcut:
    source = mapping(item, f"{where} shortcuts", {"name", "type", "callback_id", "description"})
    kind = field(source, "type", str, f"{where} shortcuts")
    if kind not in {"global", "message"}:
        raise BadSetup(f"{where}: a shortcut is global or message, not {kind!r}")
    return Shortcut(
        name=field(source, "name", str, f"{where} shortcuts"),
        kind=kind,
        callback_id=field(source, "callback_id", str, f"{where} shortcuts"),
        description=field(source, "description", str, f"{where} shortcuts"),
    )
