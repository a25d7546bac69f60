"""`alerts acknowledge` and `alerts snooze`: somebody takes an alert on, or wants it quiet for a while."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.actors import who_acts
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.alerts import state_of
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.problems import TooLate
from knowledge_base_agent.records import alerts as records
from knowledge_base_agent.records.alerts import Alert, alert_named
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.report import Report, Tone
from knowledge_base_agent.wording import duration

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from knowledge_base_agent.deployment import Deployment

_Which = Annotated[
    str,
    Word(
        read=free_text,
        help="the alert, as it is called on its message, or its key",
        example="al-17",
        positional=True,
    ),
]


class AcknowledgeArguments(Arguments):
    """Which alert."""

    alert: _Which


class SnoozeArguments(Arguments):
    """Which alert, and for how long."""

    alert: _Which
    for_: Annotated[
        timedelta,
        Word(read=read_duration, help="for how long; a bare number is hours", example="1h"),
    ] = timedelta(hours=1)


def _acknowledge(
    deployment: "Deployment", arguments: AcknowledgeArguments, progress: Progress
) -> Report:
    who, now = who_acts(), utc_now()
    with writing(deployment.engine) as connection:
        alert = _unresolved(connection, arguments.alert)
        taken = records.acknowledge(connection, alert, who, who, now)
    if taken:
        text = f"{who} takes {alert.id} on: {alert.title}."
    else:  # the second click is no mistake: it learns who was first
        text = f"{alert.id} is {state_of(alert)} already: {alert.acknowledged_by_name} has it."
    return Report(title="Acknowledged", text=text, tone=Tone.GOOD)


def _snooze(deployment: "Deployment", arguments: SnoozeArguments, progress: Progress) -> Report:
    who, until = who_acts(), utc_now() + arguments.for_
    with writing(deployment.engine) as connection:
        alert = _unresolved(connection, arguments.alert)
        records.snooze(connection, alert, who, until)
    return Report(
        title="Snoozed",
        text=f"{alert.id} is quiet for {duration(arguments.for_)}, until {until:%Y-%m-%d %H:%M} UTC. If the trouble "
        "is still there then, its message says so.",
        tone=Tone.GOOD,
    )


def _unresolved(connection: "Connection", name: str) -> Alert:
    alert = alert_named(connection, name)
    if alert.resolved_at is not None:
        raise TooLate(
            f"{alert.id} is over since {alert.resolved_at:%Y-%m-%d %H:%M} UTC: {alert.outcome}",
            "`/kb alerts` lists those that are not.",
        )
    return alert


ACKNOWLEDGE = Operation[AcknowledgeArguments, Target](
    name="alerts acknowledge",
    summary="Says on an alert's message that you take care of it.",
    risk=Risk.CHANGE,
    arguments=AcknowledgeArguments,
    answer=_acknowledge,
)
SNOOZE = Operation[SnoozeArguments, Target](
    name="alerts snooze",
    summary="Keeps an alert quiet for a while.",
    risk=Risk.CHANGE,
    arguments=SnoozeArguments,
    answer=_snooze,
)
