"""What operations that can be undone share: the word `--no-undo`, and writing down what they put aside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from sqlalchemy import Connection

from knowledge_base_agent.actors import acting_run
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.operation import Arguments, Target, Word
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.keepsakes import drop, fill, keep, new_id

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


class UndoableArguments(Arguments):
    """Whether what is removed is kept for a while."""

    no_undo: Annotated[
        bool,
        Word(read=None, help="free the memory at once: what is removed can't be brought back"),
    ] = False


class UndoableTarget(Target):
    """Whether what is removed is kept for a while, as it was shown."""

    no_undo: bool = False


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """A keepsake of the run that is carried out: to be written before the effect, and filled after it."""

    deployment: "Deployment"
    run_id: str
    id: str
    expires_at: datetime

    @property
    def mark(self) -> str:
        """Return what the names of things put aside have in them: whose they are, and that nobody else has."""
        return f"{self.run_id}:{self.id}"

    def keep(self, kind: str, kept: Mapping[str, Any], number: int | None = None) -> None:
        """Write what is about to be put aside. Raises `Away`: then nothing may be removed."""
        with writing(self.deployment.engine) as connection:
            self.keep_in(connection, kind, kept, number)

    def keep_in(
        self, connection: Connection, kind: str, kept: Mapping[str, Any], number: int | None = None
    ) -> None:
        """Write it in the transaction of a change that is made in the same database."""
        keep(
            connection,
            keepsake_id=self.id,
            run_id=self.run_id,
            kind=kind,
            kept=kept,
            expires_at=self.expires_at,
            number=number,
        )

    def fill(self, number: int, size: int | None) -> None:
        """Write how much was put aside, and the bytes that it holds; nothing at all is not kept."""
        with writing(self.deployment.engine) as connection:
            if number:
                fill(connection, self.id, number=number, size=size)
            else:
                drop(connection, self.id)


def keeping(deployment: "Deployment") -> Keeping:
    """Return a new keepsake of the run that is carried out, not yet written."""
    run_id = acting_run()
    if run_id is None:
        raise TypeError("nothing can be put aside outside of a run")
    expires_at = utc_now() + deployment.settings.undo_within
    return Keeping(deployment=deployment, run_id=run_id, id=new_id(), expires_at=expires_at)


def for_how_long(deployment: "Deployment", *, no_undo: bool) -> str:
    """Return the sentence of a preview that says whether it can be taken back."""
    if no_undo:
        return "For good: nothing is kept to undo it (--no-undo)."
    return f"For {deployment.settings.undo_hours:g} h `undo` can bring them back."
