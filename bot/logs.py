"""The bot's log: one line an event, redacted, to stderr. What Slack's libraries say about bodies never gets here."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from knowledge_base_agent.redaction import HIDDEN, redact

_TICKET = re.compile(r"(ticket|link_disabled|response_url)=[^&\s'\"]+")
_HOOK = re.compile(r"(https?://[^\s'\"]*/(?:services|commands|actions|workflows)/)[^\s'\"]+")


def configure_logs(level: str) -> None:
    """Send structlog's and the libraries' lines through one redacting formatter."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _redacted,
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(), exception_formatter=_as_it_is
                ),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("slack_sdk", "slack_bolt", "aiohttp.access", "aiohttp.client"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _redacted(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _safe(value) for key, value in event.items()}


def _safe(value: object) -> object:
    if isinstance(value, str):
        text = _HOOK.sub(rf"\1{HIDDEN}", _TICKET.sub(rf"\1={HIDDEN}", value))
        return redact(text)
    if isinstance(value, int | float | bool) or value is None:
        return value
    return _safe(str(value))


def _as_it_is(stream: Any, error: Any) -> None:
    # format_exc_info has made text of it already, which has been redacted; the renderer only prints it.
    structlog.dev.plain_traceback(stream, error)
