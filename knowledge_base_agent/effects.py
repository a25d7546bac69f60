"""Carrying out an effect between its recorded start and its recorded end."""

import uuid
from collections.abc import Callable

from knowledge_base_agent import runs
from knowledge_base_agent.actors import Actor, acting
from knowledge_base_agent.audit import Kind, entry_of, write
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.undo_offer import with_undo
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.process_log import lines
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.report import Report, Tone
from knowledge_base_agent.requests import Ended

log = lines()


def carry_out(
    deployment: Deployment, actor: Actor, name: str, run_id: str, work: Callable[[], Report]
) -> Ended:
    """Do the work of a run that is recorded as started, and record how it ended.

    Raises the `Problem` that the work raises, after recording it. Any other error becomes a report with a reference,
    since the person must hear that something may have been done.
    """
    try:
        with runs.beating(deployment.engine, run_id), acting(actor, run_id):
            report = work()
    except Problem as problem:
        outcome = f"{problem.what} {problem.cure}"
        _record_end(deployment, actor, name, run_id, runs.State.FAILED, outcome)
        raise
    except Exception:
        # A defect of ours in the middle of an effect: the traceback is for us, the reference for the person.
        reference = uuid.uuid4().hex[:8]
        log.exception("an operation broke off", operation=name, run=run_id, reference=reference)
        report = failure(
            name,
            f"{run_id} broke off with an error of the bot's own (reference {reference}); what it did until "
            "then stays done. Look at the figures before you ask for it again.",
        )
    report = with_undo(deployment, run_id, report)
    state = runs.State.SUCCEEDED if report.succeeded else runs.State.FAILED
    _record_end(deployment, actor, name, run_id, state, report.text)
    return Ended(run_id=run_id, report=report, ended_at=utc_now())


def failure(name: str, text: str) -> Report:
    """Return the report of an operation that did not get to its own report."""
    return Report(title=f"{name} failed", text=text, tone=Tone.BAD, succeeded=False)


def _record_end(
    deployment: Deployment, actor: Actor, name: str, run_id: str, state: runs.State, outcome: str
) -> None:
    detail = f"failed: {outcome}" if state is runs.State.FAILED else outcome
    entry = entry_of(actor, Kind.ENDED, name, detail=detail, run_id=run_id)
    try:
        with writing(deployment.engine) as connection:
            runs.end(connection, run_id, state, outcome)
            write(connection, entry)
    except Problem as problem:
        # The effect has happened, and its report must not be hidden by this; the run is announced as interrupted.
        log.error("the end of a run could not be recorded", run=run_id, reason=problem.what)
        deployment.spool.add(entry)
