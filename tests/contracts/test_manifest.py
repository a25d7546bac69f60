"""The manifest asks for exactly what the bot uses: scopes, events, the command. Collected from the code itself."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import slack_sdk.web.async_client
import yaml

from bot.commands.words import COMMAND
from bot.scopes import WANTED
from knowledge_base_agent.operations import OPERATIONS

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "slack-manifest.schema.2.0.0.json"

_CHANNELS = ("channels:read", "groups:read", "im:read", "mpim:read")
SCOPES: dict[str, str | tuple[str, ...] | None] = {
    "auth.test": None,
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": (
        "channels:history",
        "groups:history",
    ),  # of a channel; im and mpim are no place for it
    "conversations.info": _CHANNELS,
    "files.completeUploadExternal": "files:write",
    "files.getUploadURLExternal": "files:write",
    "usergroups.users.list": "usergroups:read",
    "users.info": "users:read",
    "views.open": None,
    "views.publish": None,
}
"""What each method asks of a bot token, from its page docs.slack.dev/reference/methods/<method>. None: nothing."""

EVENT_SCOPES: dict[str, str | None] = {"app_home_opened": None}
"""The same for events: docs.slack.dev/reference/events/<event>."""


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "app_manifest.yaml").read_text())
    return loaded


def calls_of(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def methods_of_the_sdk() -> dict[str, str]:
    """Each method of the SDK's client and the Web API method that it calls, read from its source."""
    tree = ast.parse(Path(slack_sdk.web.async_client.__file__).read_text())
    found: dict[str, str] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "self.api_call":
                    found[function.name] = ast.literal_eval(node.args[0])
    return found


def called() -> set[str]:
    """The Web API methods that the code in bot/ calls."""
    known = methods_of_the_sdk()
    names = {
        call.func.attr
        for path in (ROOT / "bot").rglob("*.py")
        for call in calls_of(path)
        if isinstance(call.func, ast.Attribute)
    }
    assert "api_call" not in names, "a method called by its name can't be collected here"
    return {known[name] for name in names & set(known)}


def listened_to(kind: str) -> set[str]:
    """The names that bot/ has Bolt listeners for; patterns, which only catch the rest, are left out."""
    return {
        call.args[0].value
        for path in (ROOT / "bot").rglob("*.py")
        for call in calls_of(path)
        if ast.unparse(call.func) == f"app.{kind}"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_it_is_valid_by_slacks_own_schema() -> None:
    jsonschema.validate(manifest(), json.loads(SCHEMA.read_text()))


def test_the_sdk_is_read_rightly() -> None:
    assert methods_of_the_sdk()["usergroups_users_list"] == "usergroups.users.list"


def test_every_method_that_is_called_is_in_the_table_and_no_other() -> None:
    assert called() == set(SCOPES)


def test_it_asks_for_exactly_the_scopes_that_the_code_needs() -> None:
    asked = [scope for scope in (*SCOPES.values(), *EVENT_SCOPES.values()) if scope]
    needed = {one for scope in asked for one in ((scope,) if isinstance(scope, str) else scope)}
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == needed | {"commands"} == WANTED
    assert set(manifest()["oauth_config"]["scopes"]) == {"bot"}


def test_it_subscribes_to_exactly_the_events_that_have_a_listener() -> None:
    subscribed = set(manifest()["settings"]["event_subscriptions"]["bot_events"])
    assert subscribed == listened_to("event") == set(EVENT_SCOPES)


def test_it_has_the_one_command_and_a_hint_that_is_true() -> None:
    commands = manifest()["features"]["slash_commands"]
    assert [command["command"] for command in commands] == [COMMAND]
    names = {name for one in OPERATIONS for name in (one.name, *one.aliases)}
    hinted = {part.split()[0] for part in commands[0]["usage_hint"].split(" | ")}
    assert hinted <= names
    flags = set(re.findall(r"--[a-z-]+", commands[0]["usage_hint"]))
    assert flags <= {"--older-than"}
    # With escaping on, Slack would turn names that people type into ids.
    assert commands[0]["should_escape"] is False


def test_buttons_home_and_socket_mode_are_switched_on_as_the_bot_uses_them() -> None:
    found = manifest()
    assert found["settings"]["interactivity"]["is_enabled"]
    assert found["settings"]["socket_mode_enabled"]
    assert found["features"]["app_home"]["home_tab_enabled"]
    # Answers to clicks on the Home tab come as messages of the app.
    assert found["features"]["app_home"]["messages_tab_enabled"]


def test_there_are_no_shortcuts_since_nothing_would_say_who_may_use_them() -> None:
    assert "shortcuts" not in manifest()["features"]
    for kind in ("shortcut", "global_shortcut", "message_shortcut", "message", "step", "function"):
        assert listened_to(kind) == set()
