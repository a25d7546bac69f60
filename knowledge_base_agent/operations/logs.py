"""`logs`: the last lines that a task logged. Who follows them is the front's business; see `ended` in the data."""

from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.connections import LOGS as LOGS_STORE
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.operations.find import line_for_nearly
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import count, task_id
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.states import FINISHED
from knowledge_base_agent.records.task_history import rows_by_ids
from knowledge_base_agent.records.task_logs import LogLine, read_logs
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Note, Preformatted, Report
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.0


class LogsArguments(Arguments):
    """Whose lines, and how many."""

    task: Annotated[
        str,
        Word(
            read=task_id,
            help="the task's id",
            example="3f2a9c1e-0d5b-4c8e-9f4e-1a2b3c4d5e6f",
            positional=True,
        ),
    ]
    lines: Annotated[
        int, Word(read=count, help="how many lines, the last ones", example="50", short="n")
    ] = 50
    follow: Annotated[
        bool, Word(read=None, help="go on showing new lines, until the task ends")
    ] = False


def _answer(deployment: "Deployment", arguments: LogsArguments, progress: Progress) -> Report:
    lines = within(
        Deadline.after(_SECONDS),
        lambda: read_logs(deployment.logs_redis, arguments.task, last=arguments.lines),
        source=LOGS_STORE,
    )
    title = f"Logs of {arguments.task}"
    data: dict[str, object] = {"lines": [_as_data(line) for line in lines]}
    state = _state(deployment, arguments.task) if arguments.follow else None
    data |= {"state": state, "ended": state in FINISHED} if arguments.follow else {}
    if not lines:
        return Report(
            title=title,
            text="There are no log lines of this task.",
            parts=(_why_none(arguments.task, deployment.settings.log_keep_days),),
            taken_at=utc_now(),
            data=data,
        )
    shown = f"The last {counted(len(lines), 'line')}" if len(lines) > 1 else "One line"
    return Report(
        title=title,
        text=f"{shown}; the newest says: {plain(lines[-1].text, 200)}",
        parts=(Preformatted(text="\n".join(_line(line) for line in lines)),),
        taken_at=utc_now(),
        data=data,
    )


def _why_none(task: str, keep_days: int) -> Note:
    return Note(
        text=f"It logged nothing, its lines are over {keep_days} days old, or the id is wrong: "
        f"`{line_for_nearly(task)}` lists those that begin so."
    )


def _state(deployment: "Deployment", task: str) -> str | None:
    """Return the task's state by its row, None where there is none or the database does not answer."""
    try:
        with reading(deployment.engine) as connection:
            record = rows_by_ids(connection, (task,)).get(task)
    except Away:
        return None
    return record.state if record else None


def _as_data(line: LogLine) -> dict[str, str | None]:
    at = line.at.isoformat() if line.at else None
    return {"at": at, "level": line.level, "text": plain(line.text, 500)}


def _line(line: LogLine) -> str:
    at = f"{line.at:%H:%M:%S}" if line.at else "--:--:--"
    return f"{at} {line.level:<7} {plain(line.text, 500)}".rstrip()


LOGS = Operation[LogsArguments, Target](
    name="logs",
    summary="Shows the last lines that a task logged.",
    risk=Risk.READ,
    arguments=LogsArguments,
    answer=_answer,
)
