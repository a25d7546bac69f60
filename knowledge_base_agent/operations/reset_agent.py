"""`reset-agent`: say that the agent is idle, where its row says that it runs and nothing runs."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.finishing import all_finishing
from knowledge_base_agent.operations.headcount import headcount
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Touched,
    Word,
)
from knowledge_base_agent.operations.undo_agent import idle_undoably
from knowledge_base_agent.problems import Away, Refused, TooLate
from knowledge_base_agent.records.agent_state import (
    IDLE,
    AgentState,
    read_agent_state,
)
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Fact, Facts, Note, Part, Report, Tone
from knowledge_base_agent.scope import Scope

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 1.2
_SEARCH_SECONDS = 0.8


class ResetAgentArguments(Arguments):
    """Whether to do it also while the agent's task runs, or may run."""

    force: Annotated[
        bool, Word(read=None, help="also while its task runs, or while that can't be told")
    ] = False


class ResetAgentTarget(Target):
    """The state as it was when it was shown: another one is not reset."""

    status: str
    task_id: str | None
    started_at: datetime | None
    forced: bool


def _preview(deployment: "Deployment", arguments: ResetAgentArguments) -> Preview[ResetAgentTarget]:
    return _looked(deployment, forced=arguments.force)


def _again(deployment: "Deployment", target: ResetAgentTarget) -> Preview[ResetAgentTarget]:
    return _looked(deployment, forced=target.forced)


def _looked(deployment: "Deployment", *, forced: bool) -> Preview[ResetAgentTarget]:
    state = _state(deployment)
    target = ResetAgentTarget(
        status=state.status, task_id=state.task_id, started_at=state.started_at, forced=forced
    )
    if state.status == IDLE:
        report = Report(
            title="The agent is idle", text="The agent is idle already.", taken_at=utc_now()
        )
        return Preview(target=target, report=report, scope=Scope(), affected=0, touches=Touched())
    why = counts_as_running(deployment, state)
    if why and not forced:
        raise _refusal(why, state)
    seen = f"{state.status}, task {state.task_id}, since {state.started_at}"
    scope = Scope(names={"state of the agent": frozenset({seen})})
    report = _previewed(state, why)
    return Preview(target=target, report=report, scope=scope, affected=1, touches=Touched())


def _state(deployment: "Deployment") -> AgentState:
    with reading(deployment.engine) as connection:
        return read_agent_state(connection)


def counts_as_running(deployment: "Deployment", state: AgentState) -> str:
    """Return why the agent must be taken as running, or nothing if it surely does not. Unknown is running."""
    if state.task_id is None:
        return ""
    try:
        view = deployment.fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
        for task in view.held:
            if state.task_id in (task.id, task.root):
                what = "it" if task.id == state.task_id else f"{task.name} of it"
                return f"{task.worker} has {what} {task.place}"
        if view.complete is not True:
            return f"whether it runs is unknown: {headcount(view)}"
        found = deployment.fleet.find_pending(Deadline.after(_SEARCH_SECONDS), [state.task_id])
        finishing, _ = all_finishing(deployment, view)
    except Away as problem:
        return f"whether it runs is unknown: {problem.what.rstrip('.')}"
    if state.task_id in finishing:
        return "its worker was shut down and may be finishing it"
    if found.found:
        return f"its message waits in queue {found.found[0].queue}"
    return "" if found.complete else f"whether it waits is unknown: {found.why_incomplete}"


def _refusal(why: str, state: AgentState) -> Refused:
    revoke = (
        f"Stop it with `revoke {state.task_id} --terminate` first, or " if state.task_id else ""
    )
    cure = f"{revoke}add --force to say idle all the same; that stops no task."
    return Refused(f"The agent's task counts as running: {plain(why, 300).rstrip('.')}.", cure)


def _previewed(state: AgentState, why: str) -> Report:
    parts: list[Part] = [_former(state)]
    if why:
        text = f"Forced, though {plain(why, 300).rstrip('.')}. This stops no task; one that runs sets the state again."
        parts.append(Note(text=text, tone=Tone.BAD))
    said = f"{state.status}, phase {state.phase}" if state.phase else state.status
    return Report(
        title="Reset the agent to idle?",
        text=f"About to set the agent's state from {plain(said, 120)} to idle.",
        parts=tuple(parts),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _former(state: AgentState) -> Facts:
    items = (
        Fact(label="State", value=state.status),
        Fact(label="Phase", value=plain(state.phase or "", 80)),
        Fact(label="Task", value=plain(state.task_id or "", 128)),
        Fact(label="Source", value=plain(state.source or "", 160)),
        Fact(label="Started", value=state.started_at or ""),
        Fact(label="Last word", value=state.updated_at or ""),
    )
    return Facts(title="Former state", items=tuple(one for one in items if one.value != ""))


def _run(deployment: "Deployment", target: ResetAgentTarget, progress: Progress) -> Report:
    state = _state(deployment)
    if not target.forced and (why := counts_as_running(deployment, state)):
        raise _refusal(why, state)
    with writing(deployment.engine) as connection:
        state = read_agent_state(connection)
        if (state.status, state.task_id, state.started_at) != (
            target.status,
            target.task_id,
            target.started_at,
        ):
            raise TooLate(
                "The agent's state has changed since it was shown; nothing was done.",
                "Look at `stats`, and ask again if it is still wrong.",
            )
        idle_undoably(deployment, connection)
    now = _state(deployment)
    return Report(
        title="The agent is idle",
        text=f"Set the agent's state from {state.status} to {now.status}.",
        parts=(_former(state),),
        tone=Tone.GOOD,
        taken_at=utc_now(),
        succeeded=now.status == IDLE,
        data={"former": state.status, "task_id": state.task_id},
    )


RESET_AGENT = Operation[ResetAgentArguments, ResetAgentTarget](
    name="reset-agent",
    aliases=("reset-agent-state",),
    summary="Sets the agent's state to idle where nothing of it runs any more.",
    risk=Risk.DESTROY,
    arguments=ResetAgentArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=ResetAgentTarget,
)
