"""Who asks: a person in Slack, the machine's own user in the shell, or the schedule."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum

from msgspec import Struct


class Surface(Enum):
    """Where a request came from."""

    SLACK = "slack"
    SHELL = "shell"
    SCHEDULE = "schedule"


class Audience(Enum):
    """Who else reads the channel in which a person asks."""

    OURS = "only this organisation"
    SHARED = "another organisation too, or one that was invited"
    UNKNOWN = "could not be looked up"


class Standing(Struct, frozen=True, kw_only=True):
    """What Slack says about a person, at one moment. Everything defaults to the refusing side."""

    known: bool = False
    """The lookup succeeded; without it nothing else counts."""
    full_member: bool = False
    """Neither guest, nor stranger, nor bot, nor deactivated, and of the bot's own workspace."""
    why_not: str = "could not be looked up"
    """Why this is no full member, in words: "a guest", "deactivated", …"""
    groups: frozenset[str] = frozenset()
    """Ids of the user groups this person is in, of those that the settings name."""
    audience: Audience = Audience.UNKNOWN
    """Who reads along where they ask."""


class Actor(Struct, frozen=True, kw_only=True):
    """Somebody who asks for an operation."""

    id: str
    name: str
    surface: Surface
    standing: Standing = Standing()


NOBODY = Actor(id="bot", name="the bot", surface=Surface.SCHEDULE)
"""Who did what nobody asked for: previews that expired, runs whose process is gone."""


def shell_actor(user_name: str) -> Actor:
    """Return the actor of the shell: whoever has the machine has the keys, and is named in the audit."""
    return Actor(id=f"shell:{user_name}", name=user_name, surface=Surface.SHELL)


_ACTING: ContextVar[Actor | None] = ContextVar("acting", default=None)
_RUN: ContextVar[str | None] = ContextVar("run", default=None)


@contextmanager
def acting(actor: Actor, run_id: str) -> Iterator[None]:
    """Let what is called within know on whose behalf it works, and in which run."""
    actor_token, run_token = _ACTING.set(actor), _RUN.set(run_id)
    try:
        yield
    finally:
        _ACTING.reset(actor_token)
        _RUN.reset(run_token)


def who_acts() -> str:
    """Return the name of the one on whose behalf a change is carried out; "somebody" outside of any run."""
    actor = _ACTING.get()
    return actor.name if actor is not None else "somebody"


def acting_run() -> str | None:
    """Return the id of the run that is carried out, such as `op-12`; None outside of any."""
    return _RUN.get()
