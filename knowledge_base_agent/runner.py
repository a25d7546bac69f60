"""The one road: authorise, preview, confirm, claim once, record "started", run, record the end.

This is the only caller of an operation's `answer` and `run`, from Slack and from the shell alike.
Synchronous and thread-safe; every step that reaches out has a deadline of its own.
"""

from collections.abc import Collection

from knowledge_base_agent import glass, repeats, runs, seen_events
from knowledge_base_agent.actors import NOBODY, Actor
from knowledge_base_agent.audit import Kind, entry_about, entry_of, kind_of, write
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirming import Confirming
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.disclosure import disclosed, note_asked
from knowledge_base_agent.effects import carry_out, failure
from knowledge_base_agent.glass import Alarm
from knowledge_base_agent.looking_again import with_missing
from knowledge_base_agent.operations.operation import AnyOperation, Progress, Risk, given
from knowledge_base_agent.operations.undo_offer import with_undo
from knowledge_base_agent.outages import told, worked
from knowledge_base_agent.policy import authorise_request
from knowledge_base_agent.problems import Away, Problem, Refused
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.silence import bearing, unhurried
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Claimed, Ended, Pending, Request, Settled

SILENCE_SECONDS = {Risk.READ: 2.0, Risk.CHANGE: 2.4, Risk.DESTROY: 2.4}
"""How long one request waits for a database that says nothing. What writes, a little longer than the database lets
anybody wait for a lock: that it is a lock is the better answer."""


def silent(done: int, total: int | None, note: str = "") -> None:
    """Take progress and show it nowhere."""


class Runner:
    """Takes requests down the road, for one deployment."""

    def __init__(
        self, deployment: Deployment, operations: tuple[AnyOperation, ...] | None = None
    ) -> None:
        """Take the operations that there are, or those given."""
        self._deployment = deployment
        self._confirming = Confirming(deployment=deployment, operations=operations)

    def ask(self, request: Request, progress: Progress = silent) -> Report | Pending:
        """Answer a question, do a change, or return the preview of what destroys.

        Raises `Refused` and every other `Problem`; each of these is in the audit. A database that says nothing is
        waited for once, however often it would be asked; but for a change that has begun.
        """
        self.admit(request)
        with bearing(SILENCE_SECONDS[request.operation.risk]):
            return self._asked(request, progress)

    def _asked(self, request: Request, progress: Progress) -> Report | Pending:
        operation = request.operation
        try:
            if operation.risk is Risk.READ:
                return self._answer(request, progress)
            if operation.risk is Risk.DESTROY:
                return self._preview(request)
            run = self._started(request)
        except Away as problem:
            raise self._explained(request, problem) from problem
        except Problem as problem:
            self._note(request, kind_of(problem), problem.what)
            raise
        return self._changed(request, run, progress)

    def _explained(self, request: Request, problem: Away) -> Away:
        explained = told(problem, self._deployment.sightings, self._deployment.settings)
        self._note(request, Kind.FAILED, explained.what)
        return explained

    def again(self, request: Request) -> Report:
        """Answer once more what was asked, for somebody who follows it: allowed afresh, recorded only before."""
        self.admit(request)
        if request.operation.risk is not Risk.READ or request.arguments.wants_raw:
            raise TypeError(f"{request.operation.name} does more than look: it can't be followed")
        answer = given(request.operation.answer)
        report: Report = answer(self._deployment, request.arguments, silent)
        return report

    def admit(self, request: Request) -> None:
        """Return if this actor may ask for this operation; else record it and raise `Refused`."""
        try:
            authorise_request(request, self._deployment.settings)
        except Refused as problem:
            self._note(request, Kind.REFUSED, problem.what)
            raise

    def refuse(self, request: Request, problem: Problem) -> None:
        """Record what a front did not even begin, such as the words of somebody who is too fast."""
        self._note(request, kind_of(problem), problem.what)

    def asks_along(self, request: Request) -> None:
        """Record that somebody who was admitted asks what is being read for another: see `told_along`."""
        self._note(request, Kind.REQUESTED, "")

    def told_along(self, request: Request, outcome: Report | Problem) -> None:
        """Record what somebody was told who asked along."""
        if isinstance(outcome, Problem):
            self._note(request, kind_of(outcome), outcome.what)
        else:
            self._note(request, Kind.ANSWERED, outcome.text)

    def _answer(self, request: Request, progress: Progress) -> Report:
        answer = given(request.operation.answer)
        note_asked(self._deployment, request)
        report: Report = answer(self._deployment, request.arguments, progress)
        report = disclosed(self._deployment.engine, request, report)
        self._worked(request)
        self._note(request, Kind.ANSWERED, report.text)
        return report

    def _worked(self, request: Request) -> None:
        worked(request.operation.name, self._deployment.sightings, self._deployment.settings)

    def _started(self, request: Request) -> runs.Run:
        actor, name, words = request.actor, request.operation.name, request.words
        asked = request.asked
        with self._confirming.loose_ends.writing(self._deployment.engine) as (connection, note):
            # In one transaction with the start, so that of two bots that are asked at once one starts it.
            repeats.check(connection, actor, asked, repeat=request.repeat)
            run = runs.start(
                connection, actor, operation=name, words=words, place=request.place, asked=asked
            )
            note(run)
            started = entry_of(actor, Kind.STARTED, name, words=words, run_id=run.id)
            write(connection, entry_about(request, Kind.REQUESTED), started)
        return run

    def _changed(self, request: Request, run: runs.Run, progress: Progress) -> Report:
        answer = given(request.operation.answer)

        def work() -> Report:
            report: Report = answer(self._deployment, request.arguments, progress)
            return report

        try:
            name = request.operation.name
            with unhurried():
                return carry_out(self._deployment, request.actor, name, run.id, work).report
        except Away as problem:  # its end is recorded with the run
            deployment = self._deployment
            raise told(problem, deployment.sightings, deployment.settings) from problem

    def _preview(self, request: Request) -> Report | Pending:
        away = self._unless_running(request)
        preview = given(request.operation.preview)(self._deployment, request.arguments)
        self._worked(request)
        report = request.ended_by(preview)
        if report is not None:
            self._note(request, Kind.ANSWERED, report.text)
            return report
        if away is not None:
            raise away
        return self._confirming.keep(request, preview)

    def _unless_running(self, request: Request) -> Away | None:
        """Raise `Repeated` if the same runs; return who is away, since what only looks may not need the database."""
        try:
            with reading(self._deployment.engine) as connection:
                repeats.check_running(connection, request.asked)
        except Away as problem:
            return problem
        return None

    def placed(self, confirmation_id: str, *, place: str, message: str) -> None:
        """Remember where a preview stands, so that any bot can replace it later. Raises `Away`."""
        self._confirming.placed(confirmation_id, place=place, message=message)

    def confirm(self, confirmation_id: str, actor: Actor, *, alone: bool = False) -> Claimed:
        """Look again, take the confirmation for this actor and record the run as started, in one transaction.

        Raises `Changed` with a new preview where something would be touched that was not shown; `Refused` and `Away`
        (and the preview stays); `TooLate` for everyone but the first; `NotFound`. `alone` is what “Confirm alone”
        means: it counts from the asker only, who can agree to no more with it than without.
        """
        with bearing(SILENCE_SECONDS[Risk.DESTROY]):
            return self._confirming.confirm(confirmation_id, actor, alone=alone)

    def leave(self, pending: Pending) -> None:
        """Take a preview that nobody was shown, because it came too late: it is cancelled soon. Returns at once."""
        self._confirming.loose_ends.leave(pending.confirmation_id)

    def execute(self, claimed: Claimed, progress: Progress = silent) -> Ended:
        """Run what was claimed and record its end. Never raises: what went wrong is in the report."""
        operation = claimed.operation
        run, target_type = given(operation.run), given(operation.target)

        def work() -> Report:
            target = target_type.model_validate_json(claimed.target_json)
            report: Report = run(self._deployment, target, progress)
            return with_missing(report, claimed.went)

        try:
            return carry_out(
                self._deployment, claimed.confirmed_by, operation.name, claimed.run_id, work
            )
        except Problem as problem:
            report = failure(operation.name, f"{problem.what} {problem.cure}")
            # What was done before it failed may have been put aside.
            report = with_undo(self._deployment, claimed.run_id, report)
            return Ended(run_id=claimed.run_id, report=report, ended_at=utc_now())

    def cancel(self, confirmation_id: str, actor: Actor) -> Settled:
        """Cancel a preview. Whoever may confirm it may cancel it. Raises as `confirm` does."""
        with bearing(SILENCE_SECONDS[Risk.DESTROY]):
            return self._confirming.cancel(confirmation_id, actor)

    def expire_due(self) -> tuple[Settled, ...]:
        """Expire previews whose time is over, and return those that this call expired. Raises `Away`."""
        return self._confirming.expire_due()

    def alarms_due(self) -> tuple[Alarm, ...]:
        """Return what is to be told of those who break the glass, each to one caller only. Raises `Away`."""
        return glass.alarms_due(self._deployment.engine)

    def alarm_told(self, alarm: Alarm, *, channel: str = "", message: str = "") -> None:
        """Record that it was told, and in which message, so that any bot can say there how it ended. Raises `Away`."""
        glass.alarm_told(self._deployment.engine, alarm, channel=channel, message=message)

    def alarm_untold(self, alarm: Alarm) -> None:
        """Give back what Slack surely did not take, so that it is due again. Raises `Away`."""
        glass.alarm_untold(self._deployment.engine, alarm)

    def declare_interrupted(self) -> tuple[runs.Run, ...]:
        """Mark runs whose process is gone, and return those that this call marked, to be announced. Raises `Away`."""
        with writing(self._deployment.engine) as connection:
            found = runs.declare_interrupted(connection)
            for run in found:
                detail = f"what {run.actor_name} started is unknown: its process is gone"
                more = {"detail": detail, "run_id": run.id}
                write(connection, entry_of(NOBODY, Kind.INTERRUPTED, run.operation, **more))
        return found

    def first_seen(self, event_ids: Collection[str]) -> frozenset[str]:
        """Return which of these envelopes or payloads are seen for the first time. Raises `Away`."""
        return seen_events.first_seen(self._deployment.engine, event_ids)

    def forget_seen(self) -> None:
        """Forget what was seen more than a day ago. Raises `Away`."""
        seen_events.forget_old(self._deployment.engine)

    def _note(self, request: Request, kind: Kind, detail: str) -> None:
        self._deployment.spool.add(entry_about(request, kind, detail))
