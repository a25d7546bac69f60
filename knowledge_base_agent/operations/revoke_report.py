"""Carrying out a revoke, and saying what was seen afterwards: "sent" is not "stopped"."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.revoking import RevokeOutcome
from knowledge_base_agent.fleet.verifying import Fate, Verdict
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.lingering import Lingering, kill
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.revoke_wording import asked_next, nobody_told
from knowledge_base_agent.problems import Away
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

LISTED = 100
_LOOK_SECONDS = 2.0
_SEND_SECONDS = 60.0
_VERIFY_SECONDS = 12.0
_COLUMNS = (
    Column(key="fate", label="Now"),
    Column(key="why", label="What was seen"),
    Column(key="process", label="Process"),
    Column(key="id", label="Id"),
)
_TONES = {
    Fate.STOPPED: Tone.GOOD,
    Fate.WILL_BE_DROPPED: Tone.GOOD,
    Fate.RUNNING: Tone.BAD,
    Fate.UNKNOWN: Tone.WARNING,
}


@dataclass(frozen=True, kw_only=True)
class _Line:
    """What is said of one task. `process` is a name, so it is text."""

    fate: str
    tone: Tone
    why: str
    process: str = ""


@dataclass(frozen=True, kw_only=True)
class _Before:
    """What was known before the revoke was sent."""

    waiting: frozenset[str]
    """Tasks that no worker had."""
    runs_on: frozenset[str]
    """Tasks that run and were not told to stop."""
    vanished: Mapping[str, _Line]
    """Tasks that were with a worker at the preview, and no longer."""


def look_before(deployment: "Deployment", ids: Sequence[str]) -> FleetView:
    """Look who is there to be told, and what runs of these tasks. Raises `Away`."""
    return deployment.fleet.workers.look(
        Deadline.after(_LOOK_SECONDS), ids=frozenset(ids), fresh=True
    )


def revoke_and_verify(
    deployment: "Deployment",
    before: FleetView,
    *,
    ids: Sequence[str],
    waiting: Sequence[str],
    held_by: Mapping[str, str],
    signal: str | None,
    progress: Progress,
) -> Report:
    """Revoke, with a signal for tasks that run, then look what became of each.

    Raises `Away` only before anything is sent.
    """
    if not deployment.fleet.tellable(before):
        return nobody_told(ids)
    outcome = _told(deployment, ids, before, signal, progress)
    running = {task.id for worker in before.workers for task in worker.active} & set(ids)
    to_verify = [one for one in ids if signal is not None or one not in running]
    progress(0, len(to_verify), "looking whether they stopped")
    verdicts, notes = _verified(deployment, to_verify, before)
    earlier = _Before(
        waiting=frozenset(waiting),
        runs_on=frozenset(running - set(to_verify)),
        vanished=_vanished(held_by, before),
    )
    return _report(ids, outcome, verdicts, earlier, notes)


def _vanished(held_by: Mapping[str, str], before: FleetView) -> dict[str, _Line]:
    """Say what became of tasks that a worker had at the preview, and none had when the revoke was sent."""
    held = {task.id for task in before.held}
    there = {worker.name for worker in before.workers}
    lines = {}
    for one, worker in held_by.items():
        if one in held or worker in before.silent:
            continue
        if worker in there:
            why = f"{worker} no longer had it when the revoke was sent: it had ended"
            lines[one] = _Line(fate="ended before", tone=Tone.GOOD, why=why)
        else:
            why = f"{worker}, which had it, is gone; the workers that answered keep it from running again"
            lines[one] = _Line(fate="worker gone", tone=Tone.WARNING, why=why)
    return lines


def kill_report(
    deployment: "Deployment", lingering: Sequence[Lingering], progress: Progress
) -> Report:
    """Kill the processes of tasks that ignored a revoke, and say which are gone."""
    seen: dict[str, _Line] = {}
    for one, gone, why in kill(deployment, lingering):
        fate, tone = ("stopped", Tone.GOOD) if gone else ("not stopped", Tone.BAD)
        seen[one] = _Line(fate=fate, tone=tone, why=why)
        progress(len(seen), len(lingering), "killed")
    done = all(line.tone is Tone.GOOD for line in seen.values())
    tally = Counter(line.fate for line in seen.values())
    tasks = counted(len(seen), "task")
    return Report(
        title=f"Killed {tasks}" if done else "Kill: not all as asked",
        text=f"{tasks}: " + ", ".join(f"{number} {fate}" for fate, number in tally.items()) + ".",
        parts=(_table(seen),),
        tone=Tone.GOOD if done else Tone.BAD,
        actions=(Action(label="Active", words="active"),),
        succeeded=done,
        taken_at=utc_now(),
        data={"fates": {one: line.fate for one, line in seen.items()}},
    )


def _told(
    deployment: "Deployment",
    ids: Sequence[str],
    before: FleetView,
    signal: str | None,
    progress: Progress,
) -> RevokeOutcome:
    def sent_so_far(done: int, total: int) -> bool:
        progress(done, total, "told to the workers")
        return True

    return deployment.fleet.revoke(
        Deadline.after(_SEND_SECONDS),
        ids,
        destination=deployment.fleet.tellable(before),
        terminate=signal is not None,
        signal=signal or "SIGTERM",
        portions=sent_so_far,
    )


def _verified(
    deployment: "Deployment", ids: Sequence[str], before: FleetView
) -> tuple[Mapping[str, Verdict], list[Note]]:
    if not ids:
        return {}, []
    try:
        found = deployment.fleet.verify_stopped(Deadline.after(_VERIFY_SECONDS), ids, before)
    except Away as problem:
        text = f"Sent, and not verified: {problem.what} It may still take effect; look again."
        return {}, [Note(text=text, tone=Tone.BAD)]
    return found, []


def _report(
    ids: Sequence[str],
    outcome: RevokeOutcome,
    verdicts: Mapping[str, Verdict],
    before: _Before,
    notes: list[Note],
) -> Report:
    seen = {one: _line(one, outcome, verdicts.get(one), before) for one in ids}
    tally = Counter(line.fate for line in seen.values())
    said = ", ".join(f"{number:,} {fate}" for fate, number in tally.items())
    done = all(line.tone is Tone.GOOD for line in seen.values()) and not notes
    stubborn = [v.id for v in verdicts.values() if v.ignores_signal]
    tasks = counted(len(ids), "task")
    return Report(
        title=f"Revoked {tasks}" if done else "Revoke: not all as asked",
        text=f"{tasks}: {said}.",
        parts=(_table(seen), *notes, *_answers(outcome, stubborn)),
        tone=Tone.GOOD if done else Tone.BAD,
        actions=asked_next(stubborn),
        succeeded=done,
        taken_at=utc_now(),
        data={"fates": {one: line.fate for one, line in seen.items()}},
    )


def _table(seen: Mapping[str, _Line]) -> Table:
    rows = tuple(
        Row(cells=(line.fate, plain(line.why, 300), line.process, one), tone=line.tone)
        for one, line in list(seen.items())[:LISTED]
    )
    return Table(caption="What became of them", columns=_COLUMNS, rows=rows, total=len(seen))


def _line(one: str, outcome: RevokeOutcome, verdict: Verdict | None, before: _Before) -> _Line:
    if one in outcome.unsent:
        why = "the workers are told as soon as the broker answers, as long as a bot runs"
        return _Line(fate="not sent yet", tone=Tone.BAD, why=why)
    if one in outcome.unconfirmed:
        why = "sent; no worker confirmed it, it may still take effect"
        return _Line(fate="unconfirmed", tone=Tone.WARNING, why=why)
    if one in before.runs_on:
        why = "flagged; it runs on to its end without --terminate"
        return _Line(fate="runs on", tone=Tone.WARNING, why=why)
    if verdict is None:
        return _Line(fate="sent", tone=Tone.WARNING, why="sent, and not verified")
    if verdict.fate is Fate.STOPPED and one in before.vanished:
        return before.vanished[one]
    if verdict.fate is Fate.STOPPED and one in before.waiting:
        why = "no worker has it; each that takes it drops it, as long as it is not restarted"
        return _Line(fate="will be dropped", tone=Tone.GOOD, why=why)
    process = str(verdict.process) if verdict.process is not None else ""
    tone = _TONES[verdict.fate]
    return _Line(fate=verdict.fate.value, tone=tone, why=verdict.why, process=process)


def _answers(outcome: RevokeOutcome, stubborn: Sequence[str]) -> Iterator[Note]:
    for problem in outcome.problems:
        yield Note(text=plain(problem, 300), tone=Tone.WARNING)
    if outcome.silent:
        names = ", ".join(plain(name, 80) for name in outcome.silent)
        yield Note(
            text=f"Told, without an answer: {names}. It acts on this when it wakes; look with `active` then.",
            tone=Tone.WARNING,
        )
    for refusal in outcome.refusals:
        yield Note(
            text=f"{plain(refusal.worker, 80)} refused: {plain(refusal.said, 200)}", tone=Tone.BAD
        )
    if stubborn:
        tasks = counted(len(stubborn), "task")
        yield Note(
            text=f"{tasks} ignored SIGTERM and still block their slots. SIGKILL ends the process for sure; what the "
            "task had half done stays half done.",
            tone=Tone.BAD,
        )
