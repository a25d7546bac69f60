"""Purged messages: put aside under names of their own, and brought back to the front of their queues."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from knowledge_base_agent.fleet.asides import AsideList
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.purging import Aside, Emptied
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind
from knowledge_base_agent.operations.undo_moved_messages import move_undoably
from knowledge_base_agent.operations.undoable import Keeping, keeping
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.keepsakes import GRACE, Keepsake
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_NAME = "messages"
_PLAN_SECONDS = 2.0
_LOOK_SECONDS = 2.0
_SIZE_SECONDS = 2.0


def purge_undoably(
    deployment: "Deployment",
    deadline: Deadline,
    queues: Sequence[str],
    *,
    progress: Progress | None = None,
    no_undo: bool = False,
) -> tuple[Emptied, ...]:
    """Empty queues as `Purging.purge` does, and keep what was in them unless told not to. Raises `Away`.

    On RabbitMQ messages are moved one by one, for as long as `MOVE_SECONDS` in all: what stays is in the result.
    """
    purging, asides = deployment.fleet.purging, deployment.fleet.asides
    if not no_undo and deployment.fleet.amqp_asides.possible:
        return move_undoably(deployment, queues, progress=progress)
    told = _of_queues(progress)
    if no_undo or not asides.possible:
        return purging.purge(deadline, queues, told=told)
    kept = keeping(deployment)
    lists = asides.plan(Deadline.after(_PLAN_SECONDS), queues, kept.mark)
    kept.keep(_NAME, {"lists": [[one.queue, one.key, one.aside] for one in lists]})
    aside = Aside(lists=lists, until=kept.expires_at + GRACE)
    with _kept_if_begun(kept):
        emptied = purging.purge(deadline, queues, told=told, aside=aside)
    if all(one.removed is not None for one in emptied):
        kept.fill(sum(one.removed or 0 for one in emptied), _size(deployment, lists))
    return emptied


@contextlib.contextmanager
def _kept_if_begun(kept: Keeping) -> Iterator[None]:
    """Forget what was to be kept where the broker is away before anything was begun: nothing of it can come back."""
    try:
        yield
    except Away:
        with contextlib.suppress(Away):  # of the database: the broker's trouble is what is told
            kept.fill(0, None)
        raise


def _of_queues(progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(done, total, "queues")


def _size(deployment: "Deployment", lists: tuple[AsideList, ...]) -> int | None:
    try:
        return deployment.fleet.asides.size(Deadline.after(_SIZE_SECONDS), lists)
    except Away:
        return None  # a figure beside the report, which is not worth more


def _lists(keepsake: Keepsake) -> tuple[AsideList, ...]:
    found: list[list[Any]] = keepsake.kept["lists"]
    return tuple(AsideList(queue=queue, key=key, aside=aside) for queue, key, aside in found)


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    deadline = Deadline.after(_LOOK_SECONDS)
    waiting = deployment.fleet.asides.waiting(deadline, _lists(keepsake))
    if not any(waiting.values()) and keepsake.number != 0:
        why = "the broker has nothing of them any more"
        return (Item(what="messages", number=0, left=keepsake.number or 0, why=why),)
    depths = deployment.fleet.queues.depths(deadline)
    return tuple(
        Item(
            what=f"messages of {plain(name, 80)}",
            number=number,
            why=""
            if depths.named(name)
            else "nobody knows this queue any more: they wait in it until somebody takes from it",
        )
        for name, number in waiting.items()
        if number
    )


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    back = deployment.fleet.asides.bring_back(
        _lists(keepsake), told=lambda done: progress(done, keepsake.number, "messages")
    )
    return tuple(
        Item(what=f"messages of {plain(name, 80)}", number=number)
        for name, number in back.items()
        if number
    )


def _free(deployment: "Deployment", keepsake: Keepsake) -> Iterator[None]:
    for one in _lists(keepsake):
        deployment.fleet.asides.free([one])
        yield


MESSAGES = KeepsakeKind(name=_NAME, look=_look, bring_back=_bring_back, free=_free)
