"""Turns what the drivers raise when a server is away into the one `Away` that people are shown."""

import contextlib
from collections.abc import Iterator

import redis
from amqp.exceptions import AccessRefused, AMQPError
from kombu.exceptions import KombuError, OperationalError

from knowledge_base_agent.problems import Away
from knowledge_base_agent.redaction import plain

DRIVER_ERRORS: tuple[type[Exception], ...] = (
    redis.RedisError,
    OperationalError,
    KombuError,
    AMQPError,
    OSError,
)
"""Whatever a broker's or a store's driver raises when the other side is gone, full, or refuses us."""

CONNECTION_ERRORS: tuple[type[Exception], ...] = (
    redis.ConnectionError,
    redis.TimeoutError,
    OperationalError,
    AMQPError,
    OSError,
)
"""The part of those that a dropped connection raises: a fresh connection may do better."""


def away(source: str, error: BaseException) -> Away:
    """Return the problem that says that `source` is away, and what its driver said."""
    said = plain(str(error) or type(error).__name__, 200).rstrip(".")
    if isinstance(error, redis.ResponseError | AccessRefused):
        return Away(
            f"{source[:1].upper()}{source[1:]} refuses: {said}.",
            f"Look at its memory, and at what it lets this user do (Redis: ACL, `&*` for channels), for {source}.",
            source=source,
        )
    return Away(
        f"{source[:1].upper()}{source[1:]} does not answer: {said}.",
        f"Check that {source} is up and reachable from here, then ask again.",
        source=source,
    )


@contextlib.contextmanager
def away_if_down(source: str) -> Iterator[None]:
    """Raise `Away` naming `source` in place of its driver's errors."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise away(source, error) from error
