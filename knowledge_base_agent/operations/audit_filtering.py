"""Choosing entries of the audit: the words that `audit` and `audit export` share."""

from datetime import datetime, timedelta
from typing import Annotated

from knowledge_base_agent.audit import Kind
from knowledge_base_agent.operations.filtering import fragment
from knowledge_base_agent.operations.operation import Arguments, Word
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.records.audit_search import AuditFilter
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.wording import duration

KINDS = tuple(kind.value for kind in Kind)


def one_kind(text: str) -> str:
    """Read what happened, in any case; `too-late` is `too late`."""
    found = text.lower().replace("-", " ").strip()
    if found not in KINDS:
        raise ValueError("one of " + ", ".join(KINDS))
    return found


def run_id(text: str) -> str:
    """Read the name of a run: `op-12`, or its number alone."""
    number = text.lower().strip("`").removeprefix("op-")
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise ValueError("a run is op- and a number, such as op-12")
    return f"op-{int(number)}"


class AuditFiltering(Arguments):
    """Words that choose entries; all that are given must fit."""

    person: Annotated[
        str, Word(read=fragment, help="a part of the person's name, or their id", example="otto")
    ] = ""
    operation: Annotated[
        str, Word(read=fragment, help="the operation's name", example="clear", value="NAME")
    ] = ""
    kind: Annotated[
        tuple[str, ...],
        Word(
            read=one_kind,
            help="what happened, can be given again",
            example="refused",
            choices=KINDS,
        ),
    ] = ()
    run: Annotated[str, Word(read=run_id, help="the run", example="op-12")] = ""
    text: Annotated[
        str,
        Word(read=fragment, help="a text in the words or in what came of them", example="invoice"),
    ] = ""
    since: Annotated[
        timedelta | None,
        Word(read=read_duration, help="not older than this; a bare number is hours", example="24h"),
    ] = None
    until: Annotated[
        timedelta | None, Word(read=read_duration, help="older than this", example="1h")
    ] = None

    def chosen(self, now: datetime) -> AuditFilter:
        """Return what is meant at `now` (aware UTC), with absolute times."""
        return AuditFilter(
            person=self.person,
            operation=self.operation.lower(),
            kinds=self.kind,
            run=self.run,
            text=self.text,
            since=now - self.since if self.since is not None else None,
            until=now - self.until if self.until is not None else None,
        )

    def said(self) -> str:
        """Return the choice as part of a sentence; empty for everything."""
        parts = [
            ("by ", self.person),
            ("about ", self.operation),
            ("", " or ".join(self.kind)),
            ("of ", self.run),
            ("with ", f"“{self.text}”" if self.text else ""),
            ("not older than ", duration(self.since) if self.since is not None else ""),
            ("older than ", duration(self.until) if self.until is not None else ""),
        ]
        return ", ".join(head + plain(value, 80) for head, value in parts if value)
