"""`--name`, `--queue` and `--worker`: which of the tasks that workers hold are shown, and how many that hides."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated

from knowledge_base_agent.fleet.views import HeldTask
from knowledge_base_agent.operations.operation import Word
from knowledge_base_agent.operations.raw_values import MayShowArguments
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.wording import counted


class HeldFilter(MayShowArguments):
    """Which tasks to show: all that is given must fit."""

    name: Annotated[
        str | None,
        Word(
            read=free_text, help="only tasks of this name; * stands for anything", example="agent.*"
        ),
    ] = None
    queue: Annotated[
        str | None, Word(read=free_text, help="only tasks from this queue", example="agent")
    ] = None
    worker: Annotated[
        str | None,
        Word(
            read=free_text,
            help="only tasks on this worker; * stands for anything",
            example="agent@*",
        ),
    ] = None

    def fits(self, task: HeldTask) -> bool:
        """Tell whether a task is to be shown."""
        return (
            (self.name is None or fnmatchcase(task.name, self.name))
            and (self.queue is None or task.queue == self.queue)
            and (self.worker is None or fnmatchcase(task.worker, self.worker))
        )

    def kept(self, tasks: Sequence[HeldTask]) -> list[HeldTask]:
        """Return those to be shown."""
        return [task for task in tasks if self.fits(task)]

    def hidden(self, number: int) -> str:
        """Return the sentence that says how many it hides, empty without a filter: hidden is not absent."""
        given = [(f"--{name}", value) for name, value in self._given()]
        if not given:
            return ""
        words = " ".join(f"{flag} {plain(value, 60)}" for flag, value in given)
        if not number:
            return f" The filter {words} hides none."
        return f" {counted(number, 'more is', 'more are')} hidden by the filter {words}."

    def _given(self) -> list[tuple[str, str]]:
        values = (("name", self.name), ("queue", self.queue), ("worker", self.worker))
        return [(name, value) for name, value in values if value is not None]
