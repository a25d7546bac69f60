"""What a revoke is about to do, in one sentence: running, not running, and not known are three things."""

from collections.abc import Sequence

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.revoke_targets import RevokeTargets
from knowledge_base_agent.report import Action, Report, Tone
from knowledge_base_agent.wording import counted


def nothing_running(found: RevokeTargets) -> str:
    """Return why there is nothing to revoke, as far as that is known."""
    if found.fleet.complete is True:
        return "No task is running that could be revoked."
    return (
        "No running task was seen that could be revoked, but not every worker answered: what the others run is "
        "unknown. `stuck` shows ids to revoke one by one."
    )


def announced(found: RevokeTargets, signal: str | None) -> str:
    """Return what is about to be sent to how many; `signal` is None where running tasks are left to run on."""
    rest = len(found.reached) - found.running - found.unknown
    said = []
    if signal and found.running:
        said.append(f"send {signal} to {counted(found.running, 'running task')}")
    elif found.running:
        said.append(f"revoke {counted(found.running, 'running task')}")
    if found.unknown:
        what = counted(found.unknown, "task")
        said.append(f"tell the workers to stop {what} of which it is not known whether it runs")
    if rest:
        said.append(f"revoke {counted(rest, 'task')} that no process runs")
    return f"About to {', and to '.join(said)}."


def nobody_told(ids: Sequence[str]) -> Report:
    """Return what a revoke comes to that no worker hears. It is remembered, and yet it is no success."""
    tasks = counted(len(ids), "task")
    return Report(
        title="Revoke: nobody was there to be told",
        text=f"{tasks}: remembered. Each worker that joins is told; one that does not read it by itself as it starts "
        "may have begun the task by then.",
        tone=Tone.WARNING,
        actions=(Action(label="Workers", words="workers"),),
        succeeded=False,
        taken_at=utc_now(),
        data={"fates": dict.fromkeys(ids, "remembered")},
    )


def asked_next(stubborn: Sequence[str]) -> tuple[Action, ...]:
    """Return the buttons below a revoke; `stubborn` are the tasks that ignored it."""
    again = Action(label="Active", words="active")
    if not stubborn:
        return (again,)
    words = f"revoke {' '.join(stubborn[:20])} --kill"
    return (Action(label="Kill with SIGKILL", words=words, danger=True), again)
