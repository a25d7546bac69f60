"""How long a database may say nothing: for one statement, and for all that one request asks of it together.

A request that goes on to ask a silent database five times over would be answered five times too late. So the first
wait may take what there is, and every later one ends at once.
"""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class _Patience:
    """Of one request, whose threads share it. A lost update only makes it a little longer."""

    left: float
    """Seconds, less those of the waits that go on."""
    waits: set[float] = field(default_factory=set)
    """When those began that go on, by `time.monotonic()`."""

    def now(self) -> float:
        """Return the seconds that are left now. A caller may long have turned from a wait that still goes on."""
        longest = min(tuple(self.waits), default=None)
        return self.left if longest is None else self.left - (time.monotonic() - longest)


_PATIENCE: ContextVar[_Patience | None] = ContextVar("kb_patience", default=None)


@contextlib.contextmanager
def bearing(seconds: float) -> Iterator[None]:
    """Within the block, wait so long in all for a database that does not answer. What answers costs nothing of it."""
    token = _PATIENCE.set(_Patience(left=seconds))
    try:
        yield
    finally:
        _PATIENCE.reset(token)


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Within the block, let each statement have its own time again: an effect that has begun is recorded at its end."""
    token = _PATIENCE.set(None)
    try:
        yield
    finally:
        _PATIENCE.reset(token)


def exhausted(needed: float = 0.0) -> bool:
    """Tell whether this request has waited for as long as it may, or has no more than the needed seconds left."""
    patience = _PATIENCE.get()
    return patience is not None and patience.now() <= needed


@contextlib.contextmanager
def waiting(seconds: float) -> Iterator[float]:
    """Lend the seconds that one may wait now: `seconds`, or less where less is left. What raises was waited in vain."""
    patience = _PATIENCE.get()
    if patience is None:
        yield seconds
        return
    within = max(min(seconds, patience.now()), 0.0)
    began = time.monotonic()
    patience.waits.add(began)
    try:
        yield within
    except BaseException:
        patience.left -= time.monotonic() - began
        raise
    finally:
        patience.waits.discard(began)
