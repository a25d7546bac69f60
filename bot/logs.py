"""The bot's log. What Slack's libraries say about bodies never gets here."""

import logging
import re

from knowledge_base_agent import process_log
from knowledge_base_agent.redaction import HIDDEN, redact

_TICKET = re.compile(r"(ticket|link_disabled|response_url)=[^&\s'\"]+")
_HOOK = re.compile(r"(https?://[^\s'\"]*/(?:services|commands|actions|workflows)/)[^\s'\"]+")


def configure_logs(level: str) -> None:
    """Log as every process does, and hide what only Slack's addresses and tickets hold."""
    process_log.configure_logs(level, hide=_hidden)
    for name in ("slack_sdk", "slack_bolt", "aiohttp.access", "aiohttp.client"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _hidden(text: str) -> str:
    return redact(_HOOK.sub(rf"\1{HIDDEN}", _TICKET.sub(rf"\1={HIDDEN}", text)))
