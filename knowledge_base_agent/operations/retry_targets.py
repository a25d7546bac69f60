"""Which tasks can be sent again, and why the others can't: what the preview of a retry is made of."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.registered import ask_registered, names_told
from knowledge_base_agent.operations.finishing import those_finishing
from knowledge_base_agent.operations.operation import Touched, touched
from knowledge_base_agent.operations.stored_results import StoredResult, read_results
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.states import FINISHED
from knowledge_base_agent.records.task_history import TaskRecord
from knowledge_base_agent.records.task_messages import KeptMessage, kept_messages
from knowledge_base_agent.records.task_retries import retried_as

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_WORKERS_SECONDS: Final = 1.5
_RESULTS_SECONDS: Final = 1.5
NOT_KEPT: Final = "its message was not kept, and the result backend has no arguments of it"


@dataclass(frozen=True, kw_only=True)
class Sendable:
    """A task that can be sent again, and what with. `again_of` is the id of its last retry, if there was one."""

    row: TaskRecord
    message: KeptMessage = field(repr=False)
    again_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class RetryTargets:
    """What was found. `left_out` says of each other id why it is not sent; `warnings` are sentences."""

    sendable: tuple[Sendable, ...]
    left_out: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def touches(self) -> Touched:
        """The queues and names of what is sent."""
        return touched(
            queues=(one.row.queue for one in self.sendable),
            tasks=(one.message.name for one in self.sendable),
        )


def sendable(
    deployment: "Deployment", rows: Collection[TaskRecord], *, again: bool
) -> RetryTargets:
    """Sort these tasks into those that can be sent again and those that can't.

    Raises `Away` when the broker or the database does not answer.
    """
    left_out: dict[str, str] = {}
    warnings: list[str] = []
    candidates = _ended(deployment, rows, left_out)
    with reading(deployment.engine) as connection:
        ids = [row.id for row in candidates]
        before = retried_as(connection, ids)
        kept = kept_messages(connection, ids)
    for one, new in before.items() if not again else ():
        left_out[one] = f"it was sent again already, as {new} (--again sends it once more)"
    candidates = [row for row in candidates if row.id not in left_out]
    missing = [row for row in candidates if row.id not in kept]
    messages = kept | _from_results(deployment, missing, left_out)
    ready = [
        Sendable(row=row, message=messages[row.id], again_of=before.get(row.id))
        for row in candidates
        if row.id in messages
    ]
    known = _known_names(deployment, {one.message.name for one in ready}, warnings)
    strange = {one.row.id: one.message.name for one in ready if one.message.name not in known}
    for one, name in strange.items():
        left_out[one] = f"no worker that answered knows a task named {name}"
    ready = [one for one in ready if one.row.id not in strange]
    return RetryTargets(sendable=tuple(ready), left_out=left_out, warnings=tuple(warnings))


def _ended(
    deployment: "Deployment", rows: Iterable[TaskRecord], left_out: dict[str, str]
) -> list[TaskRecord]:
    """Return the tasks that have ended, and those that nobody has any more though their rows say otherwise."""
    ended = [row for row in rows if row.state in FINISHED]
    others = {row.id: row for row in rows if row.state not in FINISHED}
    if others:
        places = deployment.fleet.locate(Deadline.after(2.0), list(others))
        lost = [others[one] for one in places.nowhere]
        finishing = those_finishing(deployment, lost, places.fleet)
        ended += [row for row in lost if row.id not in finishing]
        left_out |= dict.fromkeys(finishing, "its worker was shut down and may be finishing it")
        for one in others.keys() - places.nowhere:
            doubt = " and it can't be seen whether anyone has it" if one in places.unknown else ""
            left_out[one] = f"it has not ended: {others[one].state}{doubt}"
    return ended


def _from_results(
    deployment: "Deployment", rows: list[TaskRecord], left_out: dict[str, str]
) -> dict[str, KeptMessage]:
    if not rows:
        return {}
    ids = [row.id for row in rows]
    try:
        stored = read_results(deployment, Deadline.after(_RESULTS_SECONDS), ids)
    except Away as problem:
        left_out |= dict.fromkeys(ids, f"its message was not kept, and {problem.what}")
        return {}
    found = {row.id: _message(row, stored[row.id]) for row in rows}
    left_out |= {one: NOT_KEPT for one, message in found.items() if message is None}
    return {one: message for one, message in found.items() if message is not None}


def _message(row: TaskRecord, stored: StoredResult) -> KeptMessage | None:
    if stored.arguments is None:
        return None
    args, kwargs = stored.arguments
    return KeptMessage(name=stored.name or row.name, args=args, kwargs=kwargs)


def _known_names(deployment: "Deployment", names: set[str], warnings: list[str]) -> set[str]:
    """Return those of the names that a worker knows, or our app where no worker answers.

    Raises `Away` without a broker.
    """
    if not names:
        return set()
    ours = names & set(deployment.app.tasks)
    answers = ask_registered(deployment.fleet.broadcaster, Deadline.after(_WORKERS_SECONDS))
    told = names_told(answers)
    if not answers.replies:
        warnings.append("No worker answered: what is sent waits in its queue until one comes.")
    elif ours - told:
        listed = ", ".join(sorted(ours - told)[:5])
        warnings.append(f"No worker that answered knows {listed}; our app does.")
    return ours | (names & told)
