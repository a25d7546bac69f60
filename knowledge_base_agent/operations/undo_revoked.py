"""Revoked tasks: those that did not finish are sent again from their messages, under new ids linked to the old."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.retry_sending import send_again
from knowledge_base_agent.operations.retry_targets import RetryTargets, sendable
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind, nothing_held
from knowledge_base_agent.operations.undoable import Keeping, keeping
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.keepsakes import Keepsake
from knowledge_base_agent.records.states import FINISHED, REVOKED
from knowledge_base_agent.records.task_history import rows_by_ids
from knowledge_base_agent.records.task_retries import retried_as

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_NAME: Final = "revoked tasks"
_IDS: Final = 5
_RATE: Final = 100.0
_REASONS: Final = 10


def keep_revoked(deployment: "Deployment", ids: Collection[str]) -> Keeping:
    """Keep which tasks are about to be revoked, and return by what it can be dropped again. Raises `Away`."""
    kept = keeping(deployment)
    if ids:
        kept.keep(_NAME, {"ids": sorted(ids)}, number=len(ids))
    return kept


def _targets(deployment: "Deployment", keepsake: Keepsake) -> tuple[RetryTargets, dict[str, str]]:
    """Return what can be sent, and why each other task is not. Raises `Away`."""
    ids = keepsake.kept["ids"]
    with reading(deployment.engine) as connection:
        rows = rows_by_ids(connection, ids)
        before = retried_as(connection, ids)
    left = dict.fromkeys(set(ids) - rows.keys(), "it has no row")
    left |= {
        one: f"it was revoked too late, and ended: {row.state}"
        for one, row in rows.items()
        if row.state in FINISHED and row.state != REVOKED
    }
    left |= {one: f"it was sent again already, as {new}" for one, new in before.items()}
    found = sendable(deployment, [row for one, row in rows.items() if one not in left], again=False)
    return found, left | dict(found.left_out)


def _reasons(left: Mapping[str, str]) -> Iterator[Item]:
    for why, number in Counter(left.values()).most_common(_REASONS):
        yield Item(what=_NAME, number=0, left=number, why=why)


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    found, left = _targets(deployment, keepsake)
    why = "each does its work from the beginning; their old ids stay revoked"
    ready = (
        (Item(what=_what(len(found.sendable)), number=len(found.sendable), why=why),)
        if found.sendable
        else ()
    )
    return (*ready, *_reasons(left))


def _what(number: int) -> str:
    task, ids = ("task", "a new id") if number == 1 else ("tasks", "new ids")
    return f"revoked {task}, to be sent again under {ids}"


def _sent(new: Sequence[str]) -> str:
    task = "task" if len(new) == 1 else "tasks"
    more = f" and {len(new) - _IDS:,} more" if len(new) > _IDS else ""
    return f"revoked {task}" + (f", sent again as {', '.join(new[:_IDS])}{more}" if new else "")


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    found, left = _targets(deployment, keepsake)
    report = send_again(deployment, found.sendable, {}, rate=_RATE, progress=progress)
    sent = report.data["retried"]
    number = len(sent) if isinstance(sent, dict) else 0
    why = "" if report.succeeded else f"{report.text} `retry` sends the others"
    new = list(sent.values()) if isinstance(sent, dict) else []
    done = Item(what=_sent(new), number=number, left=len(found.sendable) - number, why=why)
    return (*((done,) if found.sendable else ()), *_reasons(left))


REVOKED_TASKS = KeepsakeKind(name=_NAME, look=_look, bring_back=_bring_back, free=nothing_held)
