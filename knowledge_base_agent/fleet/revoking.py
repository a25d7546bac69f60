"""Telling workers to drop tasks or to stop them, in small portions, and keeping what each worker said.

A revoke that was sent is only "sent". Whether a task stopped is seen by `verifying`, never inferred.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge_base_agent.fleet.broadcast import Broadcaster
from knowledge_base_agent.fleet.connections import Connections
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.question import Answers, Question
from knowledge_base_agent.fleet.reading import text
from knowledge_base_agent.fleet.views import FleetView, Pool, WorkerView
from knowledge_base_agent.fleet.whereabouts import check_ids
from knowledge_base_agent.fleet.worker_words import KILL
from knowledge_base_agent.problems import Away, Misunderstood

CHUNK = 200
"""Ids in one command. 10,000 in one make a worker deaf for 5.7 s, 200 for a tenth of a second."""
SIGNALS = ("SIGTERM", "SIGKILL", "SIGQUIT", "SIGINT")
_WHY_NOT = {
    Pool.SOLO: "its pool is solo: it hears nothing until the task ends, and can't stop it",
    Pool.THREADS: "its pool is threads: a thread can't be stopped",
    Pool.EVENTLET: "its pool is eventlet, of which it was never seen that it stops a task",
}


@dataclass(frozen=True, kw_only=True)
class NodeAnswer:
    """What one worker said to a control command."""

    worker: str
    accepted: bool
    said: str
    """Its own words: `terminate: tasks unknown` is an acceptance too, of a task that it did not run."""


@dataclass(frozen=True, kw_only=True)
class RevokeOutcome:
    """What came of a revoke. Nothing here says that a task stopped."""

    sent: tuple[str, ...]
    """Ids that were told to at least one worker that answered, and will be dropped by those."""
    unconfirmed: tuple[str, ...]
    """Ids that were sent and nobody confirmed: they may still take effect."""
    unsent: tuple[str, ...]
    """Ids that were not sent: cancelled, out of time, or the broker went away."""
    answers: Mapping[str, tuple[NodeAnswer, ...]] = field(default_factory=dict)
    """By worker: one answer for each portion."""
    silent: tuple[str, ...] = ()
    """Workers that were told and did not confirm every portion."""
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Return whether no worker confirmed anything: with zero replies a revoke has no effect at all."""
        return not self.sent

    @property
    def refusals(self) -> tuple[NodeAnswer, ...]:
        """Return the answers of workers that said no."""
        return tuple(one for said in self.answers.values() for one in said if not one.accepted)


def why_not_terminate(worker: WorkerView) -> str | None:
    """Return why a worker can't stop a running task, or None if it can."""
    return _WHY_NOT.get(worker.pool)


def terminate_refusals(fleet: FleetView, ids: Collection[str]) -> dict[str, str]:
    """Return, for each running task that can't be stopped where it runs, a sentence that says why."""
    return {
        task.id: f"{worker.name} can't stop it: {why}."
        for worker in fleet.workers
        if (why := why_not_terminate(worker)) is not None
        for task in worker.active
        if task.id in ids
    }


class Revoking:
    """Sends revokes to the workers of one app. Safe to use from many threads."""

    def __init__(self, broadcaster: Broadcaster, connections: Connections) -> None:
        self._broadcaster = broadcaster
        self._connections = connections

    def revoke(
        self,
        deadline: Deadline,
        ids: Sequence[str],
        *,
        destination: Sequence[str],
        terminate: bool = False,
        signal: str = "SIGTERM",
        portions: Callable[[int, int], bool] | None = None,
    ) -> RevokeOutcome:
        """Tell these workers, by name, to drop the ids; with `terminate`, to stop those that run with a signal.

        `portions(done, total)` is called before each portion; return False to stop there. Raises `Away` before
        anything is sent when the result backend or the broker does not answer: with a frozen backend each worker that
        is told goes deaf until the thaw. Sends nothing twice.
        """
        _check(ids, destination, signal)
        self._connections.ping_results(deadline.at_most(2.0))
        tally = _Tally(destination=tuple(destination))
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            go_on = deadline.remaining() > 0 and (portions is None or portions(start, len(wanted)))
            if not go_on or tally.broken:
                tally.unsent += chunk
                continue
            self._one_portion(deadline, tally, chunk, terminate=terminate, signal=signal)
        return tally.outcome()

    def kill(self, deadline: Deadline, worker: str, process: int) -> NodeAnswer:
        """Kill the process of a task that was revoked and ignores its signal, where the worker knows our command.

        Raises `Away` without a broker. A worker that does not answer may still do it later.
        """
        question = Question(
            command=KILL, arguments={"process": process}, destination=(worker,), reads=False
        )
        answers = self._broadcaster.ask(deadline, question)
        said = list(node_answers(answers))
        if not said:
            why = answers.interrupted or "it did not answer, and may still do it"
            return NodeAnswer(worker=worker, accepted=False, said=why)
        return next((one for one in said if one.accepted), said[0])

    def _one_portion(
        self, deadline: Deadline, tally: "_Tally", chunk: list[str], *, terminate: bool, signal: str
    ) -> None:
        arguments: dict[str, object] = {"task_id": chunk, "terminate": terminate, "signal": signal}
        question = Question(
            command="revoke", arguments=arguments, destination=tally.destination, reads=False
        )
        try:
            answers = self._broadcaster.ask(deadline, question)
        except Away as problem:  # it was never sent
            if not tally.sent and not tally.unconfirmed:
                raise
            tally.problems.append(problem.what)
            tally.unsent += chunk
            tally.broken = True
            return
        tally.enter(chunk, answers)


def _check(ids: Sequence[str], destination: Sequence[str], signal: str) -> None:
    check_ids(ids)
    if signal not in SIGNALS:
        raise Misunderstood(f"{signal} is no signal for this.", f"Use {', '.join(SIGNALS)}.")
    if not destination:
        raise Away(
            "No worker is there to be told, and a revoke that nobody hears has no effect.",
            "Start the workers, or purge the queue.",
            source="the workers",
        )


@dataclass(kw_only=True)
class _Tally:
    destination: tuple[str, ...]
    sent: list[str] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    answers: dict[str, tuple[NodeAnswer, ...]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    broken: bool = False

    def enter(self, chunk: list[str], answers: Answers) -> None:
        """Note what came back for one portion."""
        said = list(node_answers(answers))
        accepted = any(one.accepted for one in said)
        (self.sent if accepted else self.unconfirmed).extend(chunk)
        for one in said:
            self.answers[one.worker] = (*self.answers.get(one.worker, ()), one)
        self.silent |= set(answers.silent)
        if answers.interrupted:
            self.problems.append(answers.interrupted)
            self.broken = True

    def outcome(self) -> RevokeOutcome:
        """Return the sum of all portions."""
        return RevokeOutcome(
            sent=tuple(self.sent),
            unconfirmed=tuple(self.unconfirmed),
            unsent=tuple(self.unsent),
            answers=self.answers,
            silent=tuple(sorted(self.silent)),
            problems=tuple(self.problems),
        )


def node_answers(answers: Answers) -> Iterator[NodeAnswer]:
    """Yield what each worker said to a control command: accepted only where it said so itself."""
    for reply in answers.replies:
        body = reply.body if isinstance(reply.body, dict) else {}
        ok, error = text(body.get("ok")), text(body.get("error"))
        said = error or ok or str(reply.body)[:200]
        yield NodeAnswer(worker=reply.worker, accepted=error is None and ok is not None, said=said)
