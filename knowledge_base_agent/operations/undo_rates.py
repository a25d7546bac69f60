"""Rate limits: what each worker's was before, by its own word; told to it again, and read back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.rate_limits import NO_LIMIT, limit_rate, rates_of
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind, nothing_held
from knowledge_base_agent.operations.undoable import keeping
from knowledge_base_agent.records.keepsakes import Keepsake
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_NAME = "rate limit"
_LOOK_SECONDS = 2.0
_TELL_SECONDS = 4.0


def keep_rates(deployment: "Deployment", task: str, rate: str, nodes: Sequence[str]) -> None:
    """Keep what each of these workers' limit is at present, before it is told another. Raises `Away`."""
    former = rates_of(deployment.fleet, Deadline.after(_LOOK_SECONDS), task)
    known = {name: former[name] for name in nodes if name in former}
    if known:  # who does not know the task, or does not answer, has no former limit that is known
        kept = {"task": task, "rate": rate, "former": known}
        keeping(deployment).keep(_NAME, kept, number=len(known))


def _judge(present: Mapping[str, str], keepsake: Keepsake) -> tuple[dict[str, str], list[Item]]:
    """Return which worker is to be told what, and a line for each worker."""
    kept = keepsake.kept
    due: dict[str, str] = {}
    items: list[Item] = []
    for worker, former in sorted(kept["former"].items()):
        limit = "no limit" if former == NO_LIMIT else former
        what = f"rate of {plain(kept['task'], 80)} on {plain(worker, 80)} ({limit})"
        now = present.get(worker)
        if now is None:
            items.append(Item(what=what, number=0, left=1, why="the worker does not answer"))
        elif now not in (kept["rate"], former):
            why = f"it has been {'no limit' if now == NO_LIMIT else now} since"
            items.append(Item(what=what, number=0, left=1, why=why))
        else:
            due[worker] = former
            items.append(Item(what=what, number=1))
    return due, items


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    task = keepsake.kept["task"]
    present = rates_of(deployment.fleet, Deadline.after(_LOOK_SECONDS), task)
    return tuple(_judge(present, keepsake)[1])


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    fleet, task = deployment.fleet, keepsake.kept["task"]
    present = rates_of(fleet, Deadline.after(_LOOK_SECONDS), task)
    due, _ = _judge(present, keepsake)
    by_rate: dict[str, list[str]] = defaultdict(list)
    for worker, rate in due.items():
        by_rate[rate].append(worker)
    for rate, workers in by_rate.items():
        limit_rate(fleet, Deadline.after(_TELL_SECONDS), task, rate, workers)
    # Read back: what a worker says it has is the only thing that can be known.
    after = rates_of(fleet, Deadline.after(_LOOK_SECONDS), task)
    wrong = {name for name, rate in due.items() if after.get(name) != rate}
    told = {**present, **{name: after.get(name, "unknown") for name in wrong}}
    return tuple(_judge(told, keepsake)[1])


RATES = KeepsakeKind(name=_NAME, look=_look, bring_back=_bring_back, free=nothing_held)
