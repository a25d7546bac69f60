"""Sending tasks again, one after the other at a rate, and saying of each what came of it."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from celery import Celery
from kombu import Connection

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE as BROKER
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.line import open_connection
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.retry_targets import Sendable
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.task_history import TaskRecord
from knowledge_base_agent.records.task_messages import KeptMessage
from knowledge_base_agent.records.task_retries import claim_retry, unclaim_retry
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SHOWN = 100
_SEND_SECONDS = 5.0
_COLUMNS = (
    Column(key="fate", label="Now"),
    Column(key="why", label="Why"),
    Column(key="old_id", label="Old id"),
    Column(key="id", label="New id"),
)
SENT, NOT_SENT, UNCONFIRMED = "sent", "not sent", "unconfirmed"
_TONES = {SENT: Tone.GOOD, NOT_SENT: Tone.WARNING, UNCONFIRMED: Tone.BAD}


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What came of one task. `new_id` is empty where nothing was sent."""

    old_id: str
    fate: str
    why: str = ""
    new_id: str = ""


def send_again(
    deployment: "Deployment",
    tasks: Sequence[Sendable],
    left_out: Mapping[str, str],
    *,
    rate: float,
    progress: Progress,
) -> Report:
    """Send these tasks under new ids, at most `rate` a second, and report old and new ids."""
    fates = [Fate(old_id=one, fate=NOT_SENT, why=why) for one, why in left_out.items()]
    stopped = ""
    with _Sender(deployment) as sender:
        for number, task in enumerate(tasks):
            if stopped:
                fates.append(Fate(old_id=task.row.id, fate=NOT_SENT, why=stopped))
                continue
            fate = sender.send(task)
            fates.append(fate)
            progress(number + 1, len(tasks), "sent again")
            if fate.fate == UNCONFIRMED or (fate.fate == NOT_SENT and sender.away):
                stopped = f"stopped: {sender.away}"
            elif number + 1 < len(tasks):
                time.sleep(
                    1 / rate
                )  # after the sending, however long it took: never faster than asked
    return _report(fates)


class _Sender:
    """One connection of its own: the app's pool may hold one that is dead, and waits longer than a person does."""

    def __init__(self, deployment: "Deployment") -> None:
        self._deployment = deployment
        self._connection: Connection | None = None
        self.away = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.release()

    def send(self, task: Sendable) -> Fate:
        """Link the ids, then send; a link whose task was certainly not sent is removed."""
        old, new = task.row.id, str(uuid4())
        engine = self._deployment.engine
        try:
            self._connect()
            with writing(engine) as connection:
                refusal = claim_retry(
                    connection, old, new, known=task.again_of, state=task.row.state
                )
        except Away as problem:
            self.away = problem.what
            return Fate(old_id=old, fate=NOT_SENT, why=problem.what)
        if refusal is not None:
            return Fate(old_id=old, fate=NOT_SENT, why=refusal)
        try:
            self._publish(task, new)
        except Away as problem:
            self.away = problem.what
            return Fate(
                old_id=old, fate=UNCONFIRMED, why=f"it may have been sent: {problem.what}", new_id=new
            )  # fmt: skip
        except Exception:
            with writing(engine) as connection:
                unclaim_retry(connection, new)
            raise
        return Fate(old_id=old, fate=SENT, new_id=new)

    def _connect(self) -> None:
        if self._connection is None:
            app = self._deployment.app
            deadline = Deadline.after(_SEND_SECONDS)
            with away_if_down(BROKER):
                self._connection = within(deadline, lambda: open_connection(app), source=BROKER)

    def _publish(self, task: Sendable, new: str) -> None:
        app = self._deployment.app
        options = _options(app, task.row, task.message) | {"connection": self._connection}
        message = task.message

        def publish() -> None:
            with away_if_down(BROKER):
                app.send_task(
                    message.name, message.args, dict(message.kwargs), task_id=new, retry=False, **options
                )  # fmt: skip

        within(Deadline.after(_SEND_SECONDS), publish, source=BROKER)


def _options(app: Celery, row: TaskRecord, message: KeptMessage) -> dict[str, Any]:
    options: dict[str, Any] = {
        "root_id": row.root_id or row.id,
        "parent_id": row.id,
        "time_limit": message.time_limit,
        "soft_time_limit": message.soft_time_limit,
        "ignore_result": message.ignore_result,
        "link": list(message.callbacks) or None,
        "link_error": list(message.errbacks) or None,
        "chain": list(message.chain) or None,
    }
    if row.queue:
        # The row has the routing key; the app may call the queue otherwise.
        queues = app.amqp.queues
        named = [name for name, queue in queues.items() if queue.routing_key == row.queue]
        options["queue"] = row.queue if row.queue in queues or not named else named[0]
    return options


def _report(fates: Sequence[Fate]) -> Report:
    tally = Counter(one.fate for one in fates)
    said = ", ".join(f"{number:,} {fate}" for fate, number in tally.items())
    done = tally[SENT] == len(fates)
    tasks = counted(tally[SENT], "task")
    parts: list[Table | Note] = [
        Table(
            caption="Old and new",
            columns=_COLUMNS,
            rows=tuple(_row(one) for one in fates[:_SHOWN]),
            total=len(fates),
        ),
        Note(text="Sent is not done: a worker has yet to take them. `task` shows what became of each."),
    ]  # fmt: skip
    return Report(
        title=f"Sent {tasks} again" if done else "Retry: not all as asked",
        text=f"{counted(len(fates), 'task')}: {said}.",
        parts=tuple(parts),
        tone=Tone.GOOD if done else Tone.WARNING,
        succeeded=done,
        taken_at=utc_now(),
        data={"retried": {one.old_id: one.new_id for one in fates if one.new_id}},
    )


def _row(one: Fate) -> Row:
    actions = (Action(label="Task", words=f"task {one.new_id}"),) if one.new_id else ()
    cells = (one.fate, plain(one.why, 300), one.old_id, one.new_id)
    return Row(cells=cells, tone=_TONES[one.fate], actions=actions)
