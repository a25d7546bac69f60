"""Purged messages on RabbitMQ: moved one by one to queues of their own, and back to the end of where they were."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from knowledge_base_agent.fleet.amqp_chunks import AsideQueue, Moved
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.purging import Emptied, untried
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind
from knowledge_base_agent.operations.undoable import Keeping, keeping
from knowledge_base_agent.problems import Away, NotFound
from knowledge_base_agent.records.keepsakes import GRACE, Keepsake
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

MOVE_SECONDS = 600.0
"""For how long one purge moves messages: at a thousand a second on a busy broker, 600,000 of them."""
BEHIND: Final = "They come back behind what waits then."
_NAME = "moved messages"
_BEHIND = "behind what waits in it"
_HALF = "the run broke off: those of them that never left the queue are left out"
_FORGOTTEN = (
    "the broker was restarted since: if it was killed while they moved, it may have put some of them back itself, "
    "which are there twice then"
)


def move_undoably(
    deployment: "Deployment", queues: Sequence[str], *, progress: Progress | None
) -> tuple[Emptied, ...]:
    """Move aside what waits in these queues, one queue after the other.

    Raises `Away` when the broker can't be reached before anything was moved; later that is in the result, and the
    queues after it are not tried.
    """
    asides, kept = deployment.fleet.amqp_asides, keeping(deployment)
    plans = asides.plan(queues, kept.mark)
    kept.keep(_NAME, {"queues": [[one.queue, one.aside] for one in plans]})
    deadline = Deadline.after(MOVE_SECONDS)
    moved: list[Moved] = []
    for plan in plans:
        if moved and moved[-1].problem:
            break
        moved.append(_one(deployment, deadline, plan, moved, progress))
    _fill(kept, moved)
    return (*map(_emptied, moved), *(untried(one.queue) for one in plans[len(moved) :]))


def _one(
    deployment: "Deployment", deadline: Deadline, plan: AsideQueue, before: Sequence[Moved],
    progress: Progress | None,
) -> Moved:  # fmt: skip
    until = deployment.settings.undo_within + GRACE

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total, f"messages of {plain(plan.queue, 80)}")

    try:
        return deployment.fleet.amqp_asides.put_aside(deadline, plan, until, told)
    except Away as problem:
        if not any(one.number for one in before):
            raise
        return Moved(queue=plan.queue, problem=problem.what)


def _fill(kept: Keeping, moved: Sequence[Moved]) -> None:
    """Write how many are aside, where that is certain; nothing at all is not kept."""
    number = sum(one.number for one in moved)
    if not any(one.unsure for one in moved) and (number or not any(one.problem for one in moved)):
        kept.fill(number, sum(one.bytes for one in moved) or None)


def _emptied(moved: Moved) -> Emptied:
    if moved.problem is None:
        return Emptied(queue=moved.queue, removed=moved.number)
    if not moved.unsure:
        said = (
            f"{moved.problem} {moved.number:,} were moved aside, and the rest stayed in the queue."
        )
        return Emptied(queue=moved.queue, removed=moved.number, problem=said)
    said = (
        f"{moved.problem} {moved.number:,} were moved aside for certain; whether {moved.unsure:,} more were is "
        "unknown, and the rest stayed in the queue."
    )
    return Emptied(queue=moved.queue, removed=None, problem=said)


def _plans(keepsake: Keepsake) -> tuple[AsideQueue, ...]:
    found: list[list[Any]] = keepsake.kept["queues"]
    return tuple(AsideQueue(queue=queue, aside=aside) for queue, aside in found)


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    asides, plans = deployment.fleet.amqp_asides, _plans(keepsake)
    waiting = asides.waiting(plans)
    if not any(waiting.values()) and keepsake.number != 0:
        why = "the broker has nothing of them any more"
        return (Item(what="messages", number=0, left=keepsake.number or 0, why=why),)
    missing = asides.missing(plans)
    forgotten = asides.forgotten(plans)
    half = (_HALF,) if keepsake.number is None else ()
    return tuple(
        _missing(name, number)
        if name in missing
        else _item(name, number, (_FORGOTTEN,) if name in forgotten else half)
        for name, number in waiting.items()
        if number
    )


def _missing(name: str, number: int) -> Item:
    why = "this queue does not exist any more: start a worker that takes from it, then ask again"
    return Item(what=f"messages of {plain(name, 80)}", number=0, left=number, why=why)


def _item(name: str, number: int, more: tuple[str, ...]) -> Item:
    why = "; ".join((_BEHIND, *more))
    return Item(what=f"messages of {plain(name, 80)}", number=number, why=why)


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    """Raise `NotFound` where something stays aside: what was begun can be gone on with then."""
    items, problems, before = [], [], 0
    for plan in _plans(keepsake):
        told = lambda done, before=before: progress(before + done, keepsake.number, "messages")  # noqa: E731
        back = deployment.fleet.amqp_asides.bring_back(plan, told)
        before += back.number
        if back.number:
            items.append(Item(what=f"messages of {plain(plan.queue, 80)}", number=back.number))
        if back.problem:
            problems.append(f"{plain(plan.queue, 80)}: {back.problem}")
    if problems:
        raise NotFound(
            f"Brought back {before:,} messages. Not all came: {'; '.join(problems)}.",
            "What is left stays aside: start a worker that takes from the queue, then ask for the undo again.",
        )
    return tuple(items)


def _free(deployment: "Deployment", keepsake: Keepsake) -> Iterator[None]:
    deployment.fleet.amqp_asides.free(_plans(keepsake))
    yield


MOVED_MESSAGES = KeepsakeKind(name=_NAME, look=_look, bring_back=_bring_back, free=_free)
