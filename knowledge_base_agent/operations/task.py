"""`task`: all that is known of one task on one card, source by source."""

import time
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.fleet.deadline import Deadline, Unknown
from knowledge_base_agent.operations.find import actions_for, error_of, line_for_nearly
from knowledge_base_agent.operations.operation import Operation, Progress, Risk, Target, Word
from knowledge_base_agent.operations.raw_card import raw_parts
from knowledge_base_agent.operations.raw_values import MayShowArguments
from knowledge_base_agent.operations.task_accounts import Accounts, disagreements, hear
from knowledge_base_agent.operations.task_card import card_parts, said_by_each
from knowledge_base_agent.operations.words import task_id as read_task_id
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.states import FAILURE, FINISHED
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import (
    Action,
    Report,
    Tone,
)
from knowledge_base_agent.wording import worded

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_AGAIN_SECONDS = 0.6
_PAUSE_SECONDS = 0.15


class TaskArguments(MayShowArguments):
    """Which task."""

    task: Annotated[
        str,
        Word(
            read=read_task_id,
            help="the task's id",
            example="3f2a9c1e-0d5b-4c8e-9f4e-1a2b3c4d5e6f",
            positional=True,
        ),
    ]


def _answer(deployment: "Deployment", arguments: TaskArguments, progress: Progress) -> Report:
    again = Deadline.after(_AGAIN_SECONDS)
    accounts = hear(deployment, arguments.task, arguments=arguments.arguments)
    while not accounts.known and not again.expired:
        # On its way from a queue to a worker it is in neither for a moment, and its row comes a little later.
        time.sleep(_PAUSE_SECONDS)
        accounts = hear(deployment, arguments.task, arguments=arguments.arguments)
    if not accounts.known and not accounts.unknowns and not _unseen(accounts):
        raise NotFound(
            f"Nobody knows a task {arguments.task}: not the rows, the workers, the queues or the results.",
            f"`{line_for_nearly(arguments.task)}` lists those whose ids begin so.",
        )
    contradictions = tuple(disagreements(accounts))
    raw = tuple(raw_parts(deployment, accounts)) if arguments.arguments else ()
    return Report(
        title=f"Task {arguments.task}",
        text=_sentence(accounts, contradictions),
        parts=(*raw, *card_parts(accounts, contradictions)),
        tone=_tone(accounts, contradictions),
        actions=_actions(accounts),
        taken_at=accounts.taken_at,
        raw_of=(accounts.id,) if raw else (),
    )


def _unseen(accounts: Accounts) -> bool:
    return not isinstance(accounts.places, Unknown) and bool(accounts.places.unknown)


def _sentence(accounts: Accounts, contradictions: tuple[str, ...]) -> str:
    row = accounts.record
    if row is None:
        said = "The rows can't be read" if isinstance(accounts.row, Unknown) else "It has no row"
        where = dict(said_by_each(accounts))["the workers"] or "unknown"
        return f"{said}; the workers: {where}."
    error = f": {error_of(row)}" if row.state == FAILURE and error_of(row) else ""
    doubt = " But the sources disagree." if contradictions else ""
    since = worded(row.updated_at)
    return f"{plain(row.name, 120)}: {row.state} since {since} by its row{error}.{doubt}"


def _tone(accounts: Accounts, contradictions: tuple[str, ...]) -> Tone:
    if accounts.record is not None and accounts.record.state == FAILURE:
        return Tone.BAD
    return Tone.WARNING if contradictions or accounts.unknowns else Tone.NEUTRAL


def _actions(accounts: Accounts) -> tuple[Action, ...]:
    row = accounts.record
    # What a worker is seen to run needs `--terminate`, however late the recorder is with its row.
    if row is not None and not accounts.running and not (row.state in FINISHED and accounts.held):
        return actions_for(row)
    words = f"revoke {accounts.id} --terminate" if accounts.running else f"revoke {accounts.id}"
    return (
        Action(label="Logs", words=f"logs {accounts.id}"),
        Action(label="Revoke", words=words, danger=True),
    )


TASK = Operation[TaskArguments, Target](
    name="task",
    summary="Shows all that is known of one task, and where the sources disagree.",
    risk=Risk.READ,
    arguments=TaskArguments,
    answer=_answer,
)
