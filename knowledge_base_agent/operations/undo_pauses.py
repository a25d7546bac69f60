"""Pauses: what a queue's row said before it was paused or resumed, and the workers told so again."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.consuming import start_consuming, stop_consuming
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind, nothing_held
from knowledge_base_agent.operations.undoable import keeping
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.keepsakes import Keepsake
from knowledge_base_agent.records.pauses import (
    Pause,
    back_again,
    put_pause,
    read_pause,
    stopped_too,
)
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_NAME = "pause"
_LOOK_SECONDS = 2.0
_TELL_SECONDS = 6.0
_TIMES = ("at", "until", "ended_at")
_WISH = ("at", "by", "until", "ended_at", "ended_by")
"""What a person wanted of a pause; which workers were told changes by itself."""


def keep_pause(
    deployment: "Deployment", connection: Connection, queue: str, former: Pause | None
) -> None:
    """Keep what a queue's pause was before the change that this transaction has made."""
    now = read_pause(connection, queue)
    kept = {"queue": queue, "former": _plain(former), "now": _plain(now)}
    keeping(deployment).keep_in(connection, _NAME, kept, number=1)


def _plain(pause: Pause | None) -> dict[str, Any] | None:
    if pause is None:
        return None
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(pause).items()}


def _pause(kept: Mapping[str, Any] | None) -> Pause | None:
    if kept is None:
        return None
    times = {name: datetime.fromisoformat(kept[name]) for name in _TIMES if kept[name]}
    return Pause(**{**kept, **times, "workers": tuple(kept["workers"])})


def _same(one: Pause | None, other: Pause | None) -> bool:
    """Tell whether the same is wanted of a queue; a pause whose workers are all back is none."""
    gone = [each is None or not each.lasts for each in (one, other)]
    if one is None or other is None or all(gone):
        return all(gone)
    return all(getattr(one, name) == getattr(other, name) for name in _WISH)


def _judge(now: Pause | None, keepsake: Keepsake) -> Item:
    queue, former = plain(keepsake.kept["queue"], 80), _pause(keepsake.kept["former"])
    paused = former is not None and former.lasts
    what = f"pause of {queue}" if paused else f"queue {queue}, not paused"
    if _same(now, former):
        return Item(what=what, number=1, why="it is so already; its workers are told again")
    if not _same(now, _pause(keepsake.kept["now"])):
        why = "somebody has paused or resumed it since"
        return Item(what=what, number=0, left=1, why=why)
    if paused and former is not None and former.until and former.until <= utc_now():
        why = f"it was to end at {former.until:%Y-%m-%d %H:%M} UTC, which is over"
        return Item(what=what, number=0, left=1, why=why)
    return Item(what=what, number=1)


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    with reading(deployment.engine) as connection:
        return (_judge(read_pause(connection, keepsake.kept["queue"]), keepsake),)


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    queue, former = keepsake.kept["queue"], _pause(keepsake.kept["former"])
    with writing(deployment.engine) as connection:
        now = read_pause(connection, queue, locked=True)
        item = _judge(now, keepsake)
        if not item.number:
            return (item,)
        stopped = set(now.workers if now else ()) | set(former.workers if former else ())
        put_pause(connection, queue, former, workers=stopped, at=utc_now())
    lasts = former is not None and former.lasts
    return (_told(deployment, item, queue, stopped, lasts=lasts),)


def _told(
    deployment: "Deployment", item: Item, queue: str, stopped: set[str], *, lasts: bool
) -> Item:
    """Tell the workers, and say how many were seen to do it. The wish is in its row: who joins is told as ever."""
    view = deployment.fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    there = [one for one in deployment.fleet.tellable(view) if lasts or one in stopped]
    if not there:
        return Item(what=item.what, number=1, why="no worker is there to be told; who joins is")
    change = stop_consuming if lasts else start_consuming
    seen = change(deployment.fleet, Deadline.after(_TELL_SECONDS), queue, there)
    with writing(deployment.engine) as connection:
        if lasts:
            stopped_too(connection, queue, seen.consumed_before)
        else:
            away = stopped - set(there) if view.complete else set()
            back_again(connection, queue, [*seen.as_wanted, *away])
    said = f"{len(seen.as_wanted)} of {counted(len(there), 'worker')} seen to do so"
    return Item(what=item.what, number=1, left=0, why=said)


PAUSES = KeepsakeKind(name=_NAME, look=_look, bring_back=_bring_back, free=nothing_held)
