"""What a person asks a revoke for, and what a confirmed one acts on."""

from typing import Annotated, Self

from pydantic import model_validator

from knowledge_base_agent.operations.filtering import Filtering
from knowledge_base_agent.operations.lingering import Lingering
from knowledge_base_agent.operations.operation import Arguments, Target, Word
from knowledge_base_agent.operations.words import task_id as read_task_id
from knowledge_base_agent.records.states import FINISHED, STATES

MOST_IDS = 1000
_MOST_IN_A_BUTTON = 20
UNFINISHED = tuple(state for state in STATES if state not in FINISHED)


class _Which(Arguments):
    task_ids: Annotated[
        tuple[str, ...],
        Word(
            read=read_task_id,
            help="exact ids of tasks",
            example="3f2a9c1e-0d5b-4c8e-9f4e-1a2b3c4d5e6f",
            positional=True,
        ),
    ] = ()
    task_id: Annotated[
        tuple[str, ...],
        Word(
            read=read_task_id,
            help="an exact id, as the guide writes it; can be given again",
            example="3f2a9c1e-0d5b-4c8e-9f4e-1a2b3c4d5e6f",
            value="ID",
        ),
    ] = ()
    all_active: Annotated[bool, Word(read=None, help="every task that runs now")] = False
    terminate: Annotated[
        bool, Word(read=None, help="stop tasks that run; without it they run on to their end")
    ] = False
    kill: Annotated[
        bool,
        Word(read=None, help="stop them with SIGKILL, for those that ignore --terminate"),
    ] = False


class RevokeArguments(Filtering, _Which):
    """Which tasks, and whether those that run are to be stopped. Chosen by words, those whose rows have not ended."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that was given, once."""
        return tuple(dict.fromkeys((*self.task_ids, *self.task_id)))

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if [bool(self.ids), self.all_active, self.filters()].count(True) != 1:
            raise ValueError(
                "give one of the three: ids of tasks, or --all-active, or words that choose tasks, such as --name or "
                "--queue; they exclude each other"
            )
        if len(self.ids) > MOST_IDS:
            raise ValueError(f"at most {MOST_IDS} ids at once")
        if any(state in FINISHED for state in self.states):
            raise ValueError("a task that has ended can't be revoked: " + ", ".join(UNFINISHED))
        return self

    def again(self, *flags: str) -> str:
        """Return the words that ask for the same with more flags; empty where they are more than a button carries."""
        if self.filters():
            return self.rewritten("revoke", *flags)
        what = ["--all-active"] if self.all_active else list(self.ids)
        return " ".join(["revoke", *what, *flags]) if len(what) <= _MOST_IN_A_BUTTON else ""


class RevokeTarget(Target):
    """The exact ids, frozen when the preview was made."""

    ids: tuple[str, ...]
    waiting: tuple[str, ...]
    """Those that no worker had: they are flagged, and dropped when a worker takes them."""
    held_by: dict[str, str]
    """Which worker had each of the others when the preview was made."""
    terminate: bool
    signal: str
    lingering: tuple[Lingering, ...] = ()
    """Processes of tasks that were revoked before and ignored it."""
