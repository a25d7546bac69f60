"""What paused tasks have set aside, told where queues are emptied: a purge leaves it, a complete reset drops it."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.reset_runbook import Outcome, ResetTarget, Step
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Note, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_DROP_SECONDS = 60.0
_COUNT_SECONDS = 2.0


def aside_notes(
    deployment: "Deployment", deadline: Deadline, queues: Collection[str]
) -> Iterator[Note]:
    """Yield a note for each task of which something from these queues is set aside. Raises `Away`."""
    for one in deployment.fleet.parking.counts(deadline):
        if one.queue in queues:
            task = plain(one.task, 80)
            kept = f"{counted(one.count, 'message')} of {task} from {plain(one.queue, 60)}"
            text = (
                f"{kept} stay set aside, for it is paused. `resume {task}` brings them back, and a purge after that "
                "removes them."
            )
            yield Note(text=text, tone=Tone.WARNING)


def _drop(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    parking = deployment.fleet.parking
    dropped = parking.drop(Deadline.after(_DROP_SECONDS), target.queues)
    left = sum(
        one.count
        for one in parking.counts(Deadline.after(_COUNT_SECONDS))
        if one.queue in target.queues
    )
    said = f"{counted(dropped, 'message')} removed, {left:,} left" if dropped or left else "none"
    return Outcome(verified=left == 0, detail=said)


DROP_ASIDE = Step(
    name="drop what is set aside",
    does="what workers set aside for paused tasks is removed, so that no resume runs it later",
    do=_drop,
)
