"""Telling workers to set the messages of one task aside, or to handle them as ever, and looking whether they do."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.telling import tell
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.fleet.worker_words import PAUSE_TASK

_LOOK_EVERY = 0.1
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class NodeSetsAside:
    """What was seen of one worker after it was told."""

    worker: str
    sets_aside: bool | None
    """Whether it sets the task's messages aside now, by its own list. None: it does not answer, or can't."""
    said: str


@dataclass(frozen=True, kw_only=True)
class SettingAside:
    """What came of telling workers of a task's pause, or of its end."""

    task: str
    wanted: bool
    nodes: tuple[NodeSetsAside, ...]

    @property
    def as_wanted(self) -> tuple[str, ...]:
        """Return who was seen to do as told."""
        return tuple(one.worker for one in self.nodes if one.sets_aside is self.wanted)

    @property
    def verified(self) -> bool:
        """Return whether everyone who was told was seen to do it."""
        return len(self.as_wanted) == len(self.nodes)


def unable(view: FleetView) -> tuple[str, ...]:
    """Return the workers of our app that answered and can't set messages aside: they don't know our commands."""
    return tuple(one.name for one in view.workers if one.ours is not False and one.paused is None)


def change_task(
    fleet: Fleet, deadline: Deadline, task: str, nodes: Sequence[str], *, pause: bool
) -> SettingAside:
    """Tell these workers of a task's pause or of its end, and look until they do so or the deadline passes.

    What a worker had taken before goes on. Raises `Away` without a broker, or when `nodes` is empty.
    """
    told = tell(
        fleet, deadline.at_most(_ANSWER_SECONDS), PAUSE_TASK, nodes, task=task, wanted=pause
    )
    waiting = threading.Event()
    while True:
        now = fleet.workers.look(deadline.at_most(_ANSWER_SECONDS), fresh=True)
        seen = {name: _sets_aside(now, name, task) for name in nodes}
        if all(one is pause for one in seen.values()) or deadline.remaining() < _LOOK_EVERY:
            break
        if not told.silent and told.refusals:
            break  # who says no does not change its mind
        waiting.wait(_LOOK_EVERY)
    return SettingAside(
        task=task,
        wanted=pause,
        nodes=tuple(
            NodeSetsAside(worker=name, sets_aside=seen[name], said=told.said_by(name))
            for name in sorted(set(nodes))
        ),
    )


def _sets_aside(view: FleetView, name: str, task: str) -> bool | None:
    lists = [worker.paused for worker in view.workers if worker.name == name]
    if not lists or None in lists:
        return None
    # Where two workers share a name, both must do it: one that goes on runs the task.
    every = [paused is not None and task in paused for paused in lists]
    return all(every) if any(every) == all(every) else None
