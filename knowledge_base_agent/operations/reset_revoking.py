"""Stopping tasks within a reset: remembered first, told, and seen to have stopped; else the reset ends there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.revoking import terminate_refusals
from knowledge_base_agent.fleet.verifying import Fate
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.revoke_remembering import remembering
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 2.0
_SEND_SECONDS = 60.0
_VERIFY_SECONDS = 12.0
_LISTED = 5


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What came of it. `detail` says why not, and is empty where all of them were seen to have stopped."""

    verified: bool
    ids: frozenset[str]
    detail: str = ""


def revoke_all(
    deployment: "Deployment", nodes: Sequence[str], ids: Collection[str], progress: Progress
) -> Stopped:
    """Revoke these tasks on these workers, stop those that run, and look. Raises `Away` before anything is sent."""
    wanted = frozenset(ids)
    if not wanted:
        return Stopped(verified=True, ids=wanted)
    deadline = Deadline.after(_LOOK_SECONDS)
    before = deployment.fleet.workers.look(deadline, ids=wanted, fresh=True)
    refused = terminate_refusals(before, wanted)
    if refused:
        why = f"{' '.join(list(refused.values())[:_LISTED])} End these workers by hand, then go on."
    else:
        why = _told(deployment, nodes, wanted, progress) or _left(deployment, wanted, before)
    return Stopped(verified=not why, ids=wanted, detail=why)


def _told(
    deployment: "Deployment", nodes: Sequence[str], wanted: frozenset[str], progress: Progress
) -> str:
    """Tell the workers; return why not all of them have heard it, or nothing."""

    def sent(done: int, total: int) -> bool:
        progress(done, total, "told to the workers")
        return True

    with remembering(deployment, wanted, by="reset", terminate=True):
        deadline = Deadline.after(_SEND_SECONDS)
        outcome = deployment.fleet.revoke(
            deadline, sorted(wanted), destination=nodes, terminate=True, portions=sent
        )
    if outcome.unsent or outcome.unconfirmed or outcome.silent:
        who = ", ".join(outcome.silent) or "some portions were not sent"
        return f"Not every worker confirmed: {who}."
    return ""


def _left(deployment: "Deployment", wanted: frozenset[str], before: FleetView) -> str:
    """Look until they have stopped; return what was seen of those that have not, or nothing."""
    verdicts = deployment.fleet.verify_stopped(Deadline.after(_VERIFY_SECONDS), wanted, before)
    left = [v for v in verdicts.values() if v.fate not in (Fate.STOPPED, Fate.WILL_BE_DROPPED)]
    if not left:
        return ""
    shown = " ".join(f"{one.id}: {one.why}" for one in left[:_LISTED])
    stubborn = " ".join([one.id for one in left if one.ignores_signal][:20])
    kill = f" Kill them with `revoke {stubborn} --kill`, then go on." if stubborn else ""
    return f"{counted(len(left), 'task')} not seen to stop. {shown}{kill}"
