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
    touched,
)
from knowledge_base_agent.operations.reset_looking import our_queues
from knowledge_base_agent.operations.reset_partial import PARTIAL, stuck_and_running, unconsumed
from knowledge_base_agent.operations.reset_previews import (
    Held,
    complete_report,
    held_now,
    partial_report,
)
from knowledge_base_agent.operations.reset_runbook import ResetTarget, Step, carry_on
from knowledge_base_agent.operations.reset_steps import COMPLETE
from knowledge_base_agent.operations.undoable import UndoableArguments, for_how_long
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.agent_state import IDLE, read_agent_state
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.journal import JournalStep, StepState, newest_run, steps_of
from knowledge_base_agent.records.task_history import counts
from knowledge_base_agent.report import Report
from knowledge_base_agent.scope import Scope

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.2
_LOOK_SECONDS = 1.5
_ENDS_SECONDS = 1.0
_MESSAGES = "messages in queues"
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
    kind = "complete" if complete else "partial"
    journal_id = journal[0].run_id if journal else _new_journal(kind)
    asked = ResetTarget(
        kind=kind,
        journal_id=journal_id,
        resumed=bool(journal),
        nodes=(),
        queues=(),
        longer_than=arguments.longer_than,
        no_undo=arguments.no_undo,
    )
    return _looked(deployment, asked, journal)


def _again(deployment: "Deployment", target: ResetTarget) -> Preview[ResetTarget]:
    with reading(deployment.engine) as connection:
        journal = steps_of(connection, target.journal_id) if target.resumed else ()
    return _looked(deployment, target, journal)


def _looked(
    deployment: "Deployment", asked: ResetTarget, journal: tuple[JournalStep, ...]
) -> Preview[ResetTarget]:
    """Look at everything anew, for what was asked for: the kind, the journal, how long is too long."""
    seen = _seen(deployment)
    there = {"nodes": seen.nodes, "queues": our_queues(seen.view, seen.queues)}
    target = asked.model_copy(update=there)
    return (_complete if target.kind == "complete" else _partial)(deployment, seen, journal, target)


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
    deployment: "Deployment", seen: _Seen, journal: tuple[JournalStep, ...], target: ResetTarget
) -> Preview[ResetTarget]:
    with reading(deployment.engine) as connection:
        rows = sum(counts(connection).values())
        agent = read_agent_state(connection).status
    held = held_now(seen.view, seen.queues, target, rows=rows, agent=agent)
    deadline = Deadline.after(_ENDS_SECONDS)
    came = deployment.fleet.purging.came(deadline, target.ends)
    ends = deployment.fleet.purging.ends(deadline, target.queues)
    undo = for_how_long(deployment, no_undo=target.no_undo)
    report = complete_report(seen.view, target, journal, held, COMPLETE, undo)
    return Preview(
        target=target.model_copy(update={"ends": ends}),
        report=report,
        scope=_all(target, held, sum(came.values())),
        affected=held.affected,
        grave="it stops and removes everything",
    )


def _all(target: ResetTarget, held: Held, came: int) -> Scope:
    return Scope(
        names={"worker": frozenset(target.nodes), "queue": frozenset(target.queues)},
        flows={
            "tasks with workers": held.tasks,
            _MESSAGES: held.ready,
            "rows": held.rows,
        },
        fresh={_MESSAGES: came} if came else {},
    )


def _partial(
    deployment: "Deployment", seen: _Seen, journal: tuple[JournalStep, ...], target: ResetTarget
) -> Preview[ResetTarget]:
    stuck = stuck_and_running(deployment, seen.view, target.longer_than)
    resumed, paused = unconsumed(deployment, seen.view, seen.queues)
    with reading(deployment.engine) as connection:
        agent = read_agent_state(connection)
    ids = tuple(one.id for one in stuck)
    target = target.model_copy(update={"queues": resumed, "task_ids": ids})
    affected = len(stuck) + len(resumed) + (agent.status != IDLE)
    report = partial_report(
        seen.view, target, journal, steps=PARTIAL, stuck=stuck, paused=paused, agent=agent
    )
    # A reset that is unfinished is gone on with even where there is nothing left to mend.
    affected = affected or int(bool(journal))
    names = {"worker": seen.nodes, "queue": resumed, "stuck task": target.task_ids}
    scope = Scope(names={kind: frozenset(each) for kind, each in names.items()})
    touches = touched(queues=(one.queue for one in stuck), tasks=(one.name for one in stuck))
    return Preview(target=target, report=report, scope=scope, affected=affected, touches=touches)


def _new_journal(kind: str) -> str:
    return f"{kind}-{utc_now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _run(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Report:
    return carry_on(deployment, target, _KINDS[target.kind], progress)


RESET = Operation[ResetArguments, ResetTarget](
    name="reset",
    summary="Does the emergency procedures step by step, each one verified.",
    risk=Risk.DESTROY,
    arguments=ResetArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=ResetTarget,
)
