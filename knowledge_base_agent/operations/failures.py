"""`failures`: what failed, grouped by task and exception, so that a thousand failures of one kind are one line."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.filtering import words, written
from knowledge_base_agent.operations.history_figures import recorder_notes
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.records.recorder_state import read_recorder_state
from knowledge_base_agent.records.states import FAILURE
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.records.task_search import FailureGroup, failure_groups, reading_for
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.0
_MOST = 100
_COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="error_class", label="Exception"),
    Column(key="count", label="Failures"),
    Column(key="first", label="First"),
    Column(key="last", label="Last"),
    Column(key="sample", label="The last one said"),
)


class FailuresArguments(Arguments):
    """How far to look back."""

    since: Annotated[
        timedelta,
        Word(
            read=read_duration, help="how far to look back; a bare number is hours", example="24h"
        ),
    ] = timedelta(hours=24)


def _answer(deployment: "Deployment", arguments: FailuresArguments, progress: Progress) -> Report:
    now = utc_now()
    wanted = TaskFilter(states=(FAILURE,), since=now - arguments.since)
    with reading_for(deployment.engine, _SECONDS) as connection:
        groups = failure_groups(connection, wanted, limit=_MOST + 1)
        recorder = read_recorder_state(connection)
    rows = tuple(_row(group, arguments.since) for group in groups[:_MOST])
    total = len(groups) if len(groups) <= _MOST else None
    parts: list[Part] = []
    if rows:
        parts.append(Table(caption="Failures", columns=_COLUMNS, rows=rows, total=total))
    return Report(
        title="Failures",
        text=_sentence(groups, arguments.since),
        parts=(*parts, *recorder_notes(recorder, now)),
        tone=Tone.BAD if groups else Tone.GOOD,
        taken_at=now,
    )


def _sentence(groups: list[FailureGroup], since: timedelta) -> str:
    span = f"in the last {duration(since)}"
    if not groups:
        return f"The rows know no failures {span}."
    shown = groups[:_MOST]
    kinds = counted(len(shown), "kind")
    more = f" (the {_MOST} most frequent)" if len(groups) > _MOST else ""
    number = counted(sum(group.count for group in shown), "failure")
    most = f"{plain(shown[0].name, 80)} by {plain(shown[0].error_class or 'an unknown error', 60)}"
    return f"{number} of {kinds}{more} {span}; most often {most}: {shown[0].count:,}."


def _row(group: FailureGroup, since: timedelta) -> Row:
    return Row(
        cells=(
            plain(group.name, 120),
            plain(group.error_class, 80) if group.error_class else None,
            group.count,
            group.first,
            group.last,
            plain(group.sample, 160) if group.sample else "",
        ),
        tone=Tone.BAD,
        actions=_actions(group, since),
    )


def _actions(group: FailureGroup, since: timedelta) -> tuple[Action, ...]:
    if not group.error_class:
        return ()  # no words would choose this group and no other
    choice = {
        "name": group.name,
        "state": FAILURE,
        "error_class": group.error_class,
        "since": written(since),
    }
    return (
        Action(label="Find", words=words("find", **choice)),
        Action(label="Retry these", words=words("retry", **choice), danger=True),
    )


FAILURES = Operation[FailuresArguments, Target](
    name="failures",
    summary="Shows what failed, grouped by task and exception.",
    risk=Risk.READ,
    arguments=FailuresArguments,
    answer=_answer,
)
