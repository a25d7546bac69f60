"""What a process prints about itself: one line an event, redacted, to stderr. Answers alone go to stdout."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

from knowledge_base_agent.redaction import redact


class _Handler(logging.Handler):
    """Prints lines, and loads structlog for the first of them: in the shell, where most words print none."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._hide = hide
        self._printing: logging.Handler | None = None

    def prepare(self) -> logging.Handler:
        """Set structlog up, once."""
        self.acquire()
        try:
            if self._printing is None:
                self._printing = _printing(self._hide)
            return self._printing
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        self.prepare().handle(record)


class _Lines:
    """A logger of structlog's that is made at its first line: loading structlog takes the shell a tenth of a second."""

    def __getattr__(self, method: str) -> Any:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, _Handler):
                handler.prepare()
        import structlog

        return getattr(structlog.get_logger(), method)


def lines() -> Any:
    """Return a logger as `structlog.get_logger` does, without loading structlog before it is used."""
    return _Lines()


def configure_logs(level: str, *, hide: Callable[[str], str] = redact, later: bool = False) -> None:
    """Send structlog's and the libraries' lines through one formatter that hides secrets by `hide`.

    With `later` structlog is set up at the first line of a logger of `lines`, or of a library.
    """
    handler = _Handler(hide)
    if not later:
        handler.prepare()
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _printing(hide: Callable[[str], str]) -> logging.Handler:
    import structlog

    shared, std = _shared(), structlog.stdlib
    structlog.configure(
        processors=[std.filter_by_level, *shared, std.ProcessorFormatter.wrap_for_formatter],
        logger_factory=std.LoggerFactory(),
        wrapper_class=std.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        # format_exc_info has made text of it already, which has been redacted; the renderer only prints it.
        exception_formatter=structlog.dev.plain_traceback,
    )

    def hidden(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: _safe(value, hide) for key, value in event.items()}

    remove = std.ProcessorFormatter.remove_processors_meta
    formatter = std.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[remove, hidden, renderer]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    return handler


def _shared() -> list[Any]:
    import structlog

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _safe(value: object, hide: Callable[[str], str]) -> object:
    if isinstance(value, int | float | bool) or value is None:
        return value
    return hide(value if isinstance(value, str) else str(value))
