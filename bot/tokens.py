"""The tokens of the settings: which are needed, and what Slack says about them."""

import asyncio
from dataclasses import dataclass

import structlog
from pydantic import SecretStr

from bot.blocks.drawn import Json
from bot.slack_api import Refusal, SlackApi, TooFast, Unreached
from bot.waiting import backoff
from knowledge_base_agent.problems import Misconfigured
from knowledge_base_agent.settings import Settings

log = structlog.get_logger()
_WRONG = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "not_allowed_token_type",
    }
)
_WHERE = "Copy it from your app's page at api.slack.com/apps"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What Slack gave the app. Either `app` (Socket Mode) or `signing_secret` (HTTP) is there, or both."""

    bot: str
    app: str
    signing_secret: str

    @property
    def socket_mode(self) -> bool:
        """Whether envelopes come over a WebSocket instead of HTTP."""
        return bool(self.app)


def tokens_of(settings: Settings) -> Tokens:
    """Return the tokens of the settings. Raises `Misconfigured` for what is missing or in the wrong place."""
    found = Tokens(
        bot=_said(settings.slack_bot_token),
        app=_said(settings.slack_app_token),
        signing_secret=_said(settings.slack_signing_secret),
    )
    _must_start(found.bot, "SLACK_BOT_TOKEN", "xoxb-")
    if found.app:
        _must_start(found.app, "SLACK_APP_TOKEN", "xapp-")
    elif not found.signing_secret:
        raise Misconfigured(
            "Neither SLACK_APP_TOKEN (for Socket Mode) nor SLACK_SIGNING_SECRET (for HTTP) is set.",
            f"Set one of them. {_WHERE}.",
        )
    return found


def _said(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret is not None else ""


def _must_start(token: str, variable: str, prefix: str) -> None:
    if not token:
        raise Misconfigured(f"{variable} is not set.", f"{_WHERE} (it starts with {prefix}).")
    if not token.startswith(prefix):
        raise Misconfigured(
            f"{variable} does not start with {prefix}, so it is another kind of token.",
            f"{_WHERE}.",
        )


def refused_token(variable: str, code: str) -> Misconfigured | None:
    """Return the problem that says which token Slack does not take, or None where `code` is something else."""
    if code not in _WRONG:
        return None
    return Misconfigured(
        f"Slack does not take the token in {variable} ({code}).", f"{_WHERE} and start again."
    )


async def greeted(api: SlackApi) -> Json:
    """Ask Slack who we are, for as long as Slack is away. Raises `Misconfigured` for a wrong token."""
    failures = 0
    while True:
        try:
            return await api.auth_test()
        except Refusal as error:
            problem = refused_token("SLACK_BOT_TOKEN", error.code)
            if problem is not None:
                raise problem from error
            reason = error.code
        except (TooFast, Unreached) as error:
            reason = str(error)
        failures += 1
        pause = backoff(failures, 30.0)
        log.warning("Slack does not answer yet", reason=reason, again_in_seconds=pause)
        await asyncio.sleep(pause)
