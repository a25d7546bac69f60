"""What a process prints about itself: one line an event, redacted, to stderr. Answers alone go to stdout."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from knowledge_base_agent.redaction import redact


def configure_logs(level: str, *, hide: Callable[[str], str] = redact) -> None:
    """Send structlog's and the libraries' lines through one formatter that hides secrets by `hide`."""
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
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=_as_it_is
    )

    def hidden(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: _safe(value, hide) for key, value in event.items()}

    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[remove, hidden, renderer]
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _safe(value: object, hide: Callable[[str], str]) -> object:
    if isinstance(value, int | float | bool) or value is None:
        return value
    return hide(value if isinstance(value, str) else str(value))


def _as_it_is(stream: Any, error: Any) -> None:
    # format_exc_info has made text of it already, which has been redacted; the renderer only prints it.
    structlog.dev.plain_traceback(stream, error)
