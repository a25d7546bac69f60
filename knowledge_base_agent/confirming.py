"""The life of a preview: kept, shown somewhere, then claimed once, cancelled or expired. Nothing runs in here.

Whoever acts on a preview is authorised afresh, and what became of it is in the audit in the same transaction.
"""

from dataclasses import dataclass
from typing import Any

from knowledge_base_agent import confirmations, runs
from knowledge_base_agent.actors import NOBODY, Actor
from knowledge_base_agent.audit import Kind, entry_about, entry_of, entry_on, named, write
from knowledge_base_agent.confirmations import Confirmation
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations import operation_named
from knowledge_base_agent.operations.operation import AnyOperation, Preview
from knowledge_base_agent.policy import authorise
from knowledge_base_agent.problems import Refused, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.requests import Claimed, Pending, Request, Settled, settled_of


@dataclass(frozen=True, kw_only=True)
class Confirming:
    """Keeps and settles the previews of one deployment."""

    deployment: Deployment
    operations: tuple[AnyOperation, ...]

    def keep(self, request: Request, preview: Preview[Any]) -> Pending:
        """Keep a preview until somebody confirms it, in the same transaction as its audit entry. Raises `Away`."""
        with writing(self.deployment.engine) as connection:
            kept = confirmations.keep(
                connection,
                request.actor,
                operation=request.operation.name,
                words=request.words,
                target=preview.target.model_dump_json(),
                place=request.place,
                within=self.deployment.settings.confirm_within,
            )
            detail = f"{preview.report.text} {named(preview.target)}"
            write(connection, entry_about(request, Kind.PREVIEWED, detail, kept.id))
        return Pending(
            confirmation_id=kept.id,
            operation=request.operation,
            report=preview.report,
            affected=preview.affected,
            asked_by=request.actor,
            expires_at=kept.expires_at,
        )

    def placed(self, confirmation_id: str, *, place: str, message: str) -> None:
        """Remember where a preview stands. Raises `Away`."""
        with writing(self.deployment.engine) as connection:
            confirmations.place_at(connection, confirmation_id, place=place, message=message)

    def claim(self, confirmation_id: str, actor: Actor) -> Claimed:
        """Take the confirmation and record the run as started, in one transaction. See `Runner.confirm`."""
        found = self._allowed(confirmation_id, actor)
        try:
            with writing(self.deployment.engine) as connection:
                taken = confirmations.claim(connection, confirmation_id, actor)
                run = runs.start(
                    connection, actor, operation=taken.operation, words=taken.words,
                    place=taken.place, message=taken.message,
                )  # fmt: skip
                confirmations.belongs_to(connection, confirmation_id, run.id)
                more = {"words": taken.words, "confirmation_id": taken.id, "run_id": run.id}
                for kind in (Kind.CONFIRMED, Kind.STARTED):
                    write(connection, entry_of(actor, kind, taken.operation, **more))
        except TooLate as problem:
            self._lost(actor, found, problem)
            raise
        return Claimed(
            run_id=run.id,
            operation=operation_named(taken.operation, self.operations),
            target_json=taken.target,
            confirmed_by=actor,
            confirmed_at=run.started_at,
        )

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

    def _lost(self, actor: Actor, found: Confirmation, problem: TooLate) -> None:
        self.deployment.spool.add(entry_on(actor, Kind.TOO_LATE, found, problem.what))
