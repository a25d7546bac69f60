"""The manifest is valid for Slack, and the local Slack keeps to it."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from local_slack.errors import BadSetup
from local_slack.manifest import manifest_of, read_manifest
from tests.people import local_slack

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "app_manifest.yaml"
SCHEMA = ROOT / "tests" / "contracts" / "slack-manifest.schema.2.0.0.json"


def ours() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return loaded


def test_the_manifest_is_valid_by_slacks_own_schema() -> None:
    jsonschema.validate(ours(), json.loads(SCHEMA.read_text()))


def test_it_declares_the_command_socket_mode_interactivity_and_home() -> None:
    manifest = read_manifest(MANIFEST)
    assert manifest.command("/kb") is not None
    assert manifest.socket_mode
    assert manifest.interactivity
    assert manifest.home_tab
    assert manifest.subscribes("app_home_opened")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            ("oauth_config", "scopes", "bot"),
            ["commands", "chat:shout"],
            "Slack has no bot scope chat:shout",
        ),
        (
            ("oauth_config", "scopes", "bot"),
            ["chat:write"],
            "slash commands need the scope commands",
        ),
        (
            ("settings", "event_subscriptions", "bot_events"),
            ["app_mention"],
            "needs the scope app_mentions:read",
        ),
        (("settings", "event_subscriptions", "bot_events"), ["rain"], "knows no event rain"),
        (("features", "colour"), "red", "unknown colour"),
        (("settings", "socket_mode_enabled"), "yes", "must be of type bool"),
        (
            ("features", "slash_commands"),
            [{"command": "kb", "description": "x"}],
            "'kb' is no name",
        ),
    ],
)
def test_a_manifest_that_slack_would_not_honour_is_refused(
    path: tuple[str, ...], value: Any, sentence: str
) -> None:
    changed = copy.deepcopy(ours())
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BadSetup, match=sentence):
        manifest_of(changed, "manifest")


async def test_what_the_manifest_does_not_ask_for_the_app_does_not_get(tmp_path: Path) -> None:
    bare = copy.deepcopy(ours())
    del bare["features"]["slash_commands"]
    bare["settings"]["event_subscriptions"]["bot_events"] = []
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(bare))
    async with local_slack(manifest=path) as slack:
        otto = slack.person("otto")
        assert "not a valid command" in (await otto.types("/kb stats"))["shown"]
        assert (await otto.opens_home())["failure"] == "not_subscribed"


async def test_said_words_reach_an_app_only_where_it_subscribed(tmp_path: Path) -> None:
    listening = copy.deepcopy(ours())
    listening["oauth_config"]["scopes"]["bot"] += ["app_mentions:read"]
    listening["settings"]["event_subscriptions"]["bot_events"] = ["app_mention", "message.channels"]
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(listening))
    async with local_slack(manifest=path, ack_seconds=0.02, event_retries=()) as slack:
        headers = {"Authorization": f"Bearer {slack.app_token}"}
        async with slack.session.post(
            f"{slack.api_url}apps.connections.open", headers=headers
        ) as opened:
            url = (await opened.json())["url"]
        async with slack.session.ws_connect(url) as socket:
            await socket.receive_json()
            await slack.person("otto").types("@kb what is stuck?", in_="#ops")
            events = [(await socket.receive_json())["payload"]["event"] for _ in range(2)]
    assert [event["type"] for event in events] == ["message", "app_mention"]
    assert events[1]["text"] == "<@U0KBBOT00> what is stuck?"
