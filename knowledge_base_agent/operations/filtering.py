"""The one grammar for choosing tasks, which `find`, `failures`, `clear`, `revoke` and `retry` share."""

import math
import re
import shlex
from datetime import datetime, timedelta
from typing import Annotated

from knowledge_base_agent.operations.operation import Arguments, Word
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.operations.words import state as read_state
from knowledge_base_agent.records.states import STATES
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.wording import duration

_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_LONGEST = 200


def id_prefix(text: str) -> str:
    """Read the beginning of a task's id."""
    if not _PREFIX.fullmatch(text):
        raise ValueError("the first letters and digits of an id, without * or ?")
    return text


def pattern(text: str) -> str:
    """Read a name, in which `*` stands for anything and `?` for one character."""
    if not text.strip() or len(text) > _LONGEST or not text.isprintable():
        raise ValueError("a name of at most 200 characters; * stands for anything, ? for one")
    return text


def fragment(text: str) -> str:
    """Read a text that something must contain."""
    if not text.strip() or len(text) > _LONGEST or not text.isprintable():
        raise ValueError("some text of at most 200 characters")
    return text


class Filtering(Arguments):
    """Words that choose tasks by what their rows say; all that are given must fit."""

    id: Annotated[
        str, Word(read=id_prefix, help="how the id begins", example="3f2a9c", value="PREFIX")
    ] = ""
    name: Annotated[
        str,
        Word(
            read=pattern,
            help="the task's name; * stands for anything, ? for one character",
            example="shop.*",
            value="GLOB",
        ),
    ] = ""
    state: Annotated[
        tuple[str, ...],
        Word(
            read=read_state,
            help="its state, can be given again",
            example="FAILURE",
            choices=STATES,
        ),
    ] = ()
    status: Annotated[
        tuple[str, ...],
        Word(
            read=read_state, help="the same as --state, as the guide writes it", example="FAILURE",
            choices=STATES,
        ),
    ] = ()  # fmt: skip
    queue: Annotated[
        str, Word(read=pattern, help="its queue; * and ? as above", example="agent")
    ] = ""
    worker: Annotated[
        str, Word(read=pattern, help="its worker; * and ? as above", example="celery@web*")
    ] = ""
    argument: Annotated[
        str,
        Word(
            read=fragment,
            help="a text in its arguments as they are kept: redacted and shortened",
            example="invoice-7",
            value="TEXT",
        ),
    ] = ""
    error: Annotated[
        str,
        Word(
            read=fragment,
            help="a text in its exception's name or message",
            example="timeout",
            value="TEXT",
        ),
    ] = ""
    error_class: Annotated[
        str,
        Word(read=fragment, help="its exception's exact name", example="ValueError", value="NAME"),
    ] = ""
    since: Annotated[
        timedelta | None,
        Word(
            read=read_duration,
            help="its state is not older than this; a bare number is hours",
            example="24h",
        ),
    ] = None
    until: Annotated[
        timedelta | None,
        Word(read=read_duration, help="its state is older than this", example="1h"),
    ] = None

    @property
    def states(self) -> tuple[str, ...]:
        """The states that were named by either word, once."""
        return tuple(dict.fromkeys((*self.state, *self.status)))

    def chosen(self, now: datetime) -> TaskFilter:
        """Return what is meant at `now` (aware UTC), with absolute times."""
        return TaskFilter(
            id_prefix=self.id,
            name=self.name,
            states=self.states,
            queue=self.queue,
            worker=self.worker,
            argument=self.argument,
            error=self.error,
            error_class=self.error_class,
            since=now - self.since if self.since is not None else None,
            until=now - self.until if self.until is not None else None,
        )

    def filters(self) -> bool:
        """Tell whether any of these words was given."""
        return any(getattr(self, field) not in ("", (), None) for field in Filtering.model_fields)

    def rewritten(self, operation: str, *flags: str) -> str:
        """Return the words that choose the same for an operation, with more flags."""
        spans = {"since": self.since, "until": self.until}
        choice = {field: getattr(self, field) for field in Filtering.model_fields}
        choice |= {field: written(span) for field, span in spans.items() if span is not None}
        given = {field: value for field, value in choice.items() if value}
        return " ".join([words(operation, **given), *flags])

    def said(self) -> str:
        """Return the choice as part of a sentence: `in state FAILURE, named shop.*`; empty for everything."""
        parts = [
            ("in state ", ", ".join(self.states)),
            ("named ", self.name),
            ("with an id that begins with ", self.id),
            ("of queue ", self.queue),
            ("of worker ", self.worker),
            ("with the argument ", self.argument),
            ("with the error ", self.error),
            ("failed by ", self.error_class),
            ("not older than ", duration(self.since) if self.since is not None else ""),
            ("older than ", duration(self.until) if self.until is not None else ""),
        ]
        return ", ".join(head + plain(value, 80) for head, value in parts if value)


def written(span: timedelta) -> str:
    """Return a time as it is written after a flag; what has no whole hours is rounded up to seconds."""
    seconds = math.ceil(span.total_seconds())
    return (
        f"{math.ceil(seconds / 3600)}h" if seconds % 3600 == 0 or seconds > 86400 else f"{seconds}s"
    )


def words(operation: str, **choice: str | tuple[str, ...]) -> str:
    """Return the words that ask for an operation with this choice: `find --state FAILURE --name shop.pay`."""
    written = [operation]
    for field, value in choice.items():
        for one in (value,) if isinstance(value, str) else value:
            written += [f"--{field.replace('_', '-')}={one}"]
    return shlex.join(written)
