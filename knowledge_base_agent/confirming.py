"""The life of a preview: kept, shown somewhere, then claimed once, replaced, cancelled or expired. Nothing runs here.

Whoever acts on a preview is authorised afresh, and what became of it is in the audit in the same transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from knowledge_base_agent import alone, confirmations, repeats, runs
from knowledge_base_agent.actors import NOBODY, Actor
from knowledge_base_agent.audit import Kind, entry_of, entry_on, kind_of, write
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import Confirmation, Terms
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.looking_again import Seen, look_again
from knowledge_base_agent.loose_ends import LooseEnds
from knowledge_base_agent.operations import operation_named
from knowledge_base_agent.operations.operation import AnyOperation, Preview
from knowledge_base_agent.policy import authorise
from knowledge_base_agent.problems import Problem, Refused, Repeated, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.report import Note, Report, Tone
from knowledge_base_agent.requests import (
    Asked,
    Changed,
    Claimed,
    Pending,
    Request,
    Settled,
    asked_as,
    pending_of,
    settled_of,
)
from knowledge_base_agent.terms import (
    KINDS,
    agreement,
    changed_to,
    renewed,
    terms_of,
    wants_reason,
    write_previewed,
)
from knowledge_base_agent.two_people import Consent, consent


@dataclass(frozen=True, kw_only=True)
class Confirming:
    """Keeps and settles the previews of one deployment."""

    deployment: Deployment
    operations: tuple[AnyOperation, ...] | None  # None for all that there are
    loose_ends: LooseEnds = field(default_factory=LooseEnds)

    def keep(self, request: Request, preview: Preview[Any]) -> Pending:
        """Keep a preview until somebody confirms it, in the same transaction as its audit entry.

        Raises `Repeated` where the same person has just had the very same done, `ReasonNeeded` where two people are
        needed and no reason was stated, `Refused`, and `Away`.
        """
        with reading(self.deployment.engine) as connection:
            terms = terms_of(connection, request, preview, self.deployment.settings)
        asked = request.asked
        # Things that are only counted may be others by now: as many rows or messages again are no repetition.
        repeat = request.repeat or not preview.scope.names
        with self.loose_ends.writing(self.deployment.engine) as (connection, note):
            shown = preview.scope.fingerprint
            repeats.check(connection, request.actor, asked, scope=shown, repeat=repeat)
            kept = self._kept(connection, request, preview, terms, asked=asked)
            note(kept.confirmation_id)
        return kept

    def _kept(
        self,
        connection: Connection,
        request: Asked,
        preview: Preview[Any],
        terms: Terms,
        *,
        asked: str,
        message: str = "",
    ) -> Pending:
        kept = confirmations.keep(
            connection,
            request.actor,
            operation=request.operation.name,
            words=request.words,
            target=preview.target.model_dump_json(),
            scope=preview.scope,
            asked=asked,
            place=request.place,
            message=message,
            within=self.deployment.settings.confirm_within,
            terms=terms,
        )
        write_previewed(connection, request, preview, kept)
        return replace(pending_of(kept, request, preview), terms=terms)

    def placed(self, confirmation_id: str, *, place: str, message: str) -> None:
        """Remember where a preview stands. Raises `Away`."""
        with writing(self.deployment.engine) as connection:
            confirmations.place_at(connection, confirmation_id, place=place, message=message)

    def confirm(self, confirmation_id: str, actor: Actor, *, alone: bool = False) -> Claimed:
        """Look again, then take the confirmation and record the run as started. See `Runner.confirm`."""
        found = self._allowed(confirmation_id, actor)
        try:
            confirmations.check_pending(found)
            how = self._agreed(found, actor, alone=alone)
            # The world may go on changing between this look and the claim, and the claim can't hold it still. That
            # window is harmless: a run acts on what is frozen in its target (exact ids, cutoffs, queues), so what
            # comes is not touched, or is more of the same. Where two people hang on it, `alone.check` looks.
            looked_at = utc_now()
            seen = self._look_again(found, actor)
            with reading(self.deployment.engine) as connection:
                terms = renewed(connection, found, seen.preview, self.deployment.settings)
            if seen.preview is None or not seen.to_run or (terms.why_two and not found.why_two):
                raise self._superseded(found, actor, seen, terms)
            return self._claimed(found, actor, how, seen.preview, seen.difference.went, looked_at)
        except TooLate as problem:
            self._lost(actor, found, problem)
            raise
        except Repeated as problem:
            self.deployment.spool.add(entry_on(actor, Kind.REPEATED, found, problem.what))
            raise

    def _look_again(self, found: Confirmation, actor: Actor) -> Seen:
        operation = operation_named(found.operation, self.operations)
        try:
            return look_again(self.deployment, operation, found)
        except TooLate:
            raise  # recorded as such, by the caller
        except Problem as problem:
            self.deployment.spool.add(entry_on(actor, kind_of(problem), found, problem.what))
            raise

    def _claimed(
        self, found: Confirmation, actor: Actor, how: Consent, preview: Preview[Any], went: tuple[str, ...],
        looked_at: datetime,
    ) -> Claimed:  # fmt: skip
        target = preview.target.model_dump_json()
        with self.loose_ends.writing(self.deployment.engine) as (connection, note):
            taken = confirmations.claim(connection, found.id, actor, target=target)
            # Another preview of the same may have been confirmed: then this one stays, for when that has ended.
            repeats.check(connection, actor, taken.asked, repeat=True)
            alone.check(connection, found, preview, self.deployment.settings, looked_at)
            run = runs.start(
                connection, actor, operation=taken.operation, words=taken.words,
                place=taken.place, message=taken.message, asked=taken.asked, scope=taken.fingerprint,
            )  # fmt: skip
            note(run)
            confirmations.belongs_to(connection, found.id, run.id)
            more = {"words": taken.words, "confirmation_id": taken.id, "run_id": run.id}
            agreed = entry_of(actor, KINDS[how], taken.operation, detail=agreement(taken), **more)
            write(connection, agreed, entry_of(actor, Kind.STARTED, taken.operation, **more))
        return Claimed(
            run_id=run.id,
            operation=operation_named(taken.operation, self.operations),
            target_json=target,
            confirmed_by=actor,
            confirmed_at=run.started_at,
            went=went,
            consent=how,
            asked_by=taken.asked_by_name,
            reason=taken.reason,
        )

    def _superseded(self, found: Confirmation, actor: Actor, seen: Seen, terms: Terms) -> Changed:
        """Settle a preview that is not what it was, with the new one in its place. Raises `TooLate` and `Away`."""
        what = changed_to(found, seen, terms)
        now: Pending | Report = seen.report
        with self.loose_ends.writing(self.deployment.engine) as (connection, note):
            settled = confirmations.supersede(connection, found.id, actor)
            write(connection, entry_on(actor, Kind.SUPERSEDED, settled, what))
            if seen.preview is not None and not wants_reason(terms):
                asked = asked_as(settled, operation_named(settled.operation, self.operations))
                preview = replace(seen.preview, report=_marked(seen.report, what))
                now = self._kept(
                    connection, asked, preview, terms, asked=settled.asked, message=settled.message
                )
                note(now.confirmation_id)
        cure = "Look at what it would touch now, and confirm that." if seen.preview else ""
        return Changed(what, cure, now)

    def cancel(self, confirmation_id: str, actor: Actor) -> Settled:
        """Cancel a preview. See `Runner.cancel`."""
        found = self._allowed(confirmation_id, actor)
        try:
            with writing(self.deployment.engine) as connection:
                settled = confirmations.cancel(connection, confirmation_id, actor)
                write(connection, entry_on(actor, Kind.CANCELLED, settled))
        except TooLate as problem:
            self._lost(actor, found, problem)
            raise
        return settled_of(settled)

    def expire_due(self) -> tuple[Settled, ...]:
        """Expire previews whose time is over, and return those that this call expired. Raises `Away`."""
        self.loose_ends.settle(self.deployment.engine)
        with reading(self.deployment.engine) as connection:
            due = confirmations.overdue(connection)
        expired = []
        for confirmation_id in due:
            try:
                with writing(self.deployment.engine) as connection:
                    settled = confirmations.expire(connection, confirmation_id)
                    write(connection, entry_on(NOBODY, Kind.EXPIRED, settled))
            except TooLate:
                continue  # somebody settled it in this very moment, and they will say so
            expired.append(settled_of(settled))
        return tuple(expired)

    def _allowed(self, confirmation_id: str, actor: Actor) -> Confirmation:
        with reading(self.deployment.engine) as connection:
            found = confirmations.read(connection, confirmation_id)
        risk = operation_named(found.operation, self.operations).risk
        try:
            authorise(actor, risk, self.deployment.settings)
        except Refused as problem:
            self.deployment.spool.add(entry_on(actor, Kind.REFUSED, found, problem.what))
            raise
        return found

    def _agreed(self, found: Confirmation, actor: Actor, *, alone: bool) -> Consent:
        """Return how this click agrees to the preview. Raises `Refused`, and the preview stays."""
        try:
            return consent(
                actor,
                asked_by=found.asked_by,
                why=found.why_two,
                alone_from=found.alone_from,
                settings=self.deployment.settings,
                now=utc_now(),
                alone=alone,
            )
        except Refused as problem:
            self.deployment.spool.add(entry_on(actor, Kind.REFUSED, found, problem.what))
            raise

    def _lost(self, actor: Actor, found: Confirmation, problem: TooLate) -> None:
        self.deployment.spool.add(entry_on(actor, Kind.TOO_LATE, found, problem.what))


def _marked(report: Report, said: str) -> Report:
    return replace(report, parts=(Note(text=said, tone=Tone.WARNING), *report.parts))
