"""`--arguments`: what tasks were called with, and what came of them, as it is; hidden without it.

Who may ask for it, that it goes to nobody else, and that it is recorded is the road's business (`wants_raw`).
"""

from collections.abc import Sequence
from typing import Annotated

from celery.utils.saferepr import saferepr

from knowledge_base_agent.fleet.views import HeldTask
from knowledge_base_agent.operations.operation import Arguments, Word
from knowledge_base_agent.redaction import Raw
from knowledge_base_agent.report import Column

COLUMN = Column(key="arguments", label="Arguments")
MOST_CHARACTERS = 2_000
"""Of one value on a task's card: what is longer is cut."""
_IN_A_ROW = 400
_LEVELS = 6


class MayShowArguments(Arguments):
    """Arguments of an operation that can show those of tasks."""

    arguments: Annotated[
        bool,
        Word(
            read=None,
            help="also what tasks were called with, as it is: for KB_RAW_READERS, seen by them alone and recorded",
        ),
    ] = False

    @property
    def wants_raw(self) -> bool:
        """Whether they were asked for."""
        return self.arguments

    def columns(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        """Return the columns of a table, with one more where arguments were asked for."""
        return (*columns, COLUMN) if self.arguments else columns

    def cells(self, task: HeldTask) -> tuple[Raw | None, ...]:
        """Return the cells that a row has more, None where the worker did not tell."""
        if not self.arguments:
            return ()
        return (None if task.arguments is None else Raw(task.arguments[:_IN_A_ROW]),)

    def raw_of(self, tasks: Sequence[HeldTask]) -> tuple[str, ...]:
        """Return the ids of the tasks whose arguments are shown."""
        if not self.arguments:
            return ()
        return tuple(task.id for task in tasks if task.arguments is not None)


def raw(value: object) -> Raw:
    """Return a value as Python writes it, cut without ever being written out whole."""
    return Raw(saferepr(value, maxlen=MOST_CHARACTERS, maxlevels=_LEVELS)[:MOST_CHARACTERS])
