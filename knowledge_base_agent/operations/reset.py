"""`reset`: the emergency procedures as runbooks: journaled, each step verified, stopped at the first that can't be."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import model_validator

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Word,
)
from knowledge_base_agent.operations.reset_looking import our_queues
from knowledge_base_agent.operations.reset_partial import PARTIAL, stuck_and_running, unconsumed
from knowledge_base_agent.operations.reset_previews import complete_report, held_now, partial_report
from knowledge_base_agent.operations.reset_runbook import ResetTarget, Step, carry_on
from knowledge_base_agent.operations.reset_steps import COMPLETE
from knowledge_base_agent.operations.undoable import UndoableArguments
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.agent_state import IDLE, read_agent_state
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.journal import JournalStep, StepState, newest_run
from knowledge_base_agent.records.task_history import counts
from knowledge_base_agent.report import Report

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.2
_LOOK_SECONDS = 1.5
_KINDS: dict[str, tuple[Step, ...]] = {"complete": COMPLETE, "partial": PARTIAL}


class _Which(Arguments):
    """Which procedure."""

    partial: Annotated[
        bool,
        Word(
            read=None,
            help="stop stuck tasks, set the agent to idle, have each queue consumed again",
        ),
    ] = False
    complete: Annotated[
        bool,
        Word(
            read=None,
            help="stop and remove everything: consumers, tasks, messages, workers, rows, progress and logs",
        ),
    ] = False
    resume: Annotated[
        bool, Word(read=None, help="go on with the last reset, from the step that was not verified")
    ] = False
    longer_than: Annotated[
        timedelta,
        Word(read=read_duration, help="how long a task may run before it is stuck", example="3h"),
    ] = timedelta(hours=3)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum((self.partial, self.complete, self.resume)) != 1:
            raise ValueError("give one of --partial, --complete and --resume")
        return self


class ResetArguments(UndoableArguments, _Which):
    """Which procedure, and whether what it removes can be had back."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What is there when the preview is made."""

    view: FleetView
    queues: QueuesView
    nodes: tuple[str, ...]


def _preview(deployment: "Deployment", arguments: ResetArguments) -> Preview[ResetTarget]:
    journal = _unfinished(deployment) if arguments.resume else ()
    complete = journal[0].run_id.startswith("complete") if journal else arguments.complete
    seen = _seen(deployment)
    if complete:
        return _complete(deployment, seen, journal, no_undo=arguments.no_undo)
    return _partial(deployment, seen, journal, arguments.longer_than)


def _unfinished(deployment: "Deployment") -> tuple[JournalStep, ...]:
    with reading(deployment.engine) as connection:
        found = newest_run(connection)
    if not found or all(one.state is StepState.DONE for one in found):
        raise NotFound(
            "No reset was left unfinished." if found else "There has been no reset.",
            "`reset --partial` or `reset --complete` begins one.",
        )
    return found


def _seen(deployment: "Deployment") -> _Seen:
    deadline = Deadline.after(_SECONDS)
    view = deployment.fleet.workers.look(deadline.at_most(_LOOK_SECONDS), fresh=True)
    queues = deployment.fleet.queues.depths(deadline, view)
    return _Seen(view=view, queues=queues, nodes=deployment.fleet.tellable(view))


def _complete(
    deployment: "Deployment", seen: _Seen, journal: tuple[JournalStep, ...], *, no_undo: bool
) -> Preview[ResetTarget]:
    with reading(deployment.engine) as connection:
        rows = sum(counts(connection).values())
        agent = read_agent_state(connection).status
    target = ResetTarget(
        kind="complete",
        journal_id=_journal_id("complete", journal),
        resumed=bool(journal),
        nodes=seen.nodes,
        queues=our_queues(seen.view, seen.queues),
        no_undo=no_undo,
    )
    held = held_now(seen.view, seen.queues, target, rows=rows, agent=agent)
    report = complete_report(seen.view, target, journal, held, COMPLETE)
    return Preview(target=target, report=report, affected=held.affected)


def _partial(
    deployment: "Deployment",
    seen: _Seen,
    journal: tuple[JournalStep, ...],
    longer_than: timedelta,
) -> Preview[ResetTarget]:
    stuck = stuck_and_running(deployment, seen.view, longer_than)
    resumed, paused = unconsumed(deployment, seen.view, seen.queues)
    with reading(deployment.engine) as connection:
        agent = read_agent_state(connection)
    target = ResetTarget(
        kind="partial",
        journal_id=_journal_id("partial", journal),
        resumed=bool(journal),
        nodes=seen.nodes,
        queues=resumed,
        task_ids=tuple(one.id for one in stuck),
    )
    affected = len(stuck) + len(resumed) + (agent.status != IDLE)
    report = partial_report(
        seen.view, target, journal, steps=PARTIAL, stuck=stuck, paused=paused, agent=agent
    )
    # A reset that is unfinished is gone on with even where there is nothing left to mend.
    return Preview(target=target, report=report, affected=affected or int(bool(journal)))


def _journal_id(kind: str, journal: tuple[JournalStep, ...]) -> str:
    if journal:
        return journal[0].run_id
    return f"{kind}-{utc_now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _run(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Report:
    return carry_on(deployment, target, _KINDS[target.kind], progress)


RESET = Operation[ResetArguments, ResetTarget](
    name="reset",
    summary="Does the emergency procedures step by step, each one verified.",
    risk=Risk.DESTROY,
    arguments=ResetArguments,
    preview=_preview,
    run=_run,
    target=ResetTarget,
)
