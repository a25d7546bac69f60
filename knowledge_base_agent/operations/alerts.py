"""`alerts`: what the watcher has told and is not over, and the thresholds by which it tells."""

from datetime import datetime
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.alerts_thresholds import thresholds_of, thresholds_table
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
)
from knowledge_base_agent.records.alerts import Alert, State, unresolved
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

COLUMNS = (
    Column(key="title", label="Trouble"),
    Column(key="sentence", label="What is seen"),
    Column(key="state", label="State"),
    Column(key="age_seconds", label="For"),
    Column(key="id", label="Alert"),
)
_MOST = 50
_NOT_TOLD = (
    "This broker does not let it be seen, so it is never told: a worker that is gone without a goodbye, and a message "
    "about to be given out again. RabbitMQ gives a message out again when its worker's connection ends, or after its "
    "own consumer_timeout (30 min unless changed)."
)


class AlertsArguments(Arguments):
    """Nothing to say."""


def _answer(deployment: "Deployment", arguments: AlertsArguments, progress: Progress) -> Report:
    now = utc_now()
    with reading(deployment.engine) as connection:
        alerts = unresolved(connection)
    parts: list[Part] = []
    if alerts:
        rows = tuple(_row(alert, now) for alert in alerts[:_MOST])
        parts.append(Table(caption="Alerts", columns=COLUMNS, rows=rows, total=len(alerts)))
    if not deployment.settings.alert_channel:
        parts.append(
            Note(
                text="No channel is told of these: set KB_ALERT_CHANNEL to its id.",
                tone=Tone.WARNING,
            )
        )
    parts.append(thresholds_table(thresholds_of(deployment.settings)))
    if not deployment.fleet.broker_is_redis:
        parts.append(Note(text=_NOT_TOLD, tone=Tone.WARNING))
    return Report(
        title="Alerts",
        text=_sentence(alerts),
        parts=tuple(parts),
        tone=Tone.WARNING if alerts else Tone.GOOD,
        taken_at=now,
    )


def _sentence(alerts: tuple[Alert, ...]) -> str:
    if not alerts:
        return "The watcher has told of no trouble that is not over. The bot watches while it runs."
    quiet = sum(alert.state is not State.OPEN for alert in alerts)
    taken = f", {quiet} of them acknowledged or snoozed" if quiet else ""
    return f"{counted(len(alerts), 'open alert')}{taken}."


def state_of(alert: Alert) -> str:
    """Return where an alert stands, and by whom, in a few words."""
    if alert.state is State.SNOOZED and alert.snoozed_until is not None:
        return f"snoozed by {plain(alert.snoozed_by_name or '', 80)} until {alert.snoozed_until:%H:%M} UTC"
    if alert.state is State.ACKNOWLEDGED:
        return f"acknowledged by {plain(alert.acknowledged_by_name or '', 80)}"
    if alert.resolved_at is not None:
        return f"resolved after {duration(alert.resolved_at - alert.opened_at)}"
    return alert.state.value


def _row(alert: Alert, now: datetime) -> Row:
    offers = (
        Action(label=one.label, words=one.words, danger=one.danger) for one in alert.actions[:2]
    )
    taken = alert.acknowledged_by is not None
    acknowledge = Action(label="Acknowledge", words=f"alerts acknowledge {alert.id}")
    return Row(
        cells=(alert.title, alert.sentence, state_of(alert), now - alert.opened_at, alert.id),
        tone=Tone.BAD if alert.severity == "bad" else Tone.WARNING,
        actions=(*(() if taken else (acknowledge,)), *offers),
    )


ALERTS = Operation[AlertsArguments, Target](
    name="alerts",
    summary="Lists open alerts, and the thresholds of the watcher.",
    risk=Risk.READ,
    arguments=AlertsArguments,
    answer=_answer,
)
