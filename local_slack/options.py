"""What can be set when the local Slack starts; its own environment variables are read here and nowhere else."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Options:
    """The settings of one local Slack. All durations are in seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    manifest: Path = _HERE.parent / "app_manifest.yaml"
    workspace: Path = _HERE / "workspace.yaml"
    bot_url: str | None = None
    bot_token: str | None = None
    app_token: str | None = None
    signing_secret: str | None = None
    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    hook_seconds: float = 1800.0
    hook_uses: int = 5
    event_retries: tuple[float, ...] = (0.1, 60.0, 300.0)
    ping_seconds: float = 15.0
    limit_posts: bool = False


def options_from_command_line(arguments: list[str] | None = None) -> Options:
    """Parse the command line; LOCAL_SLACK_* variables give the defaults of tokens."""
    given = _parser().parse_args(arguments)
    return Options(
        host=given.host,
        port=given.port,
        manifest=given.manifest,
        workspace=given.workspace,
        bot_url=given.bot_url,
        bot_token=given.bot_token,
        app_token=given.app_token,
        signing_secret=given.signing_secret,
        ack_seconds=given.ack_seconds,
        limit_posts=given.limit_posts,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_slack",
        description="A strict stand-in for Slack on this machine, with a page to act on.",
    )
    add, environment = parser.add_argument, os.environ.get
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 chooses a free one")
    add("--manifest", type=Path, default=Options.manifest)
    add("--workspace", type=Path, default=Options.workspace)
    add("--bot-url", help="send to this URL over HTTP instead of Socket Mode")
    add("--bot-token", default=environment("LOCAL_SLACK_BOT_TOKEN"))
    add("--app-token", default=environment("LOCAL_SLACK_APP_TOKEN"))
    add("--signing-secret", default=environment("LOCAL_SLACK_SIGNING_SECRET"))
    add("--ack-seconds", type=float, default=3.0, help="how long the app has to acknowledge")
    add(
        "--limit-posts",
        action="store_true",
        help="answer 429 above one message a second and channel",
    )
    return parser
