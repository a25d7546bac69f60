"""Cleared rows, with what their tasks left in the stores: moved aside in the same steps, and brought back."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.connections import RESULTS
from knowledge_base_agent.operations.clear_leftovers import Leftovers, leftovers
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.stored_results import backend_url
from knowledge_base_agent.operations.undo_keys import (
    aside_for,
    bring_back,
    clients_of,
    free_in,
    items_of,
    look_at_keys,
    size_aside,
)
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind
from knowledge_base_agent.operations.undoable import keeping
from knowledge_base_agent.records.clear_steps import EVERY
from knowledge_base_agent.records.cleared import Returned, bring_rows_back, cleared, free_rows
from knowledge_base_agent.records.clearing import clear
from knowledge_base_agent.records.keepsakes import Keepsake
from knowledge_base_agent.records.task_filter import TaskFilter

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

ROWS_NAME = "rows"
_AGAIN = "there is a row of the same task again"
_FORGOTTEN = "this result backend can't give them back: they went for good"


@dataclass(kw_only=True)
class Rows:
    """What removes rows and what their tasks left, for good or aside."""

    deployment: "Deployment"
    behind: Leftovers
    aside: str | None
    number: int = 0
    """How many rows have gone."""

    def clear(
        self,
        *,
        states: Collection[str],
        cutoff: datetime,
        wanted: TaskFilter = EVERY,
        told: Callable[[int], None],
        leave: bool = False,
    ) -> Mapping[str, int]:
        """Remove rows as `clearing.clear` does; `leave` keeps the progress, logs and results of their tasks."""
        gone = clear(
            self.deployment.engine,
            states=states,
            cutoff=cutoff,
            wanted=wanted,
            told=told,
            gone=None if leave or self.behind.nowhere() else self.behind.remove,
            aside=self.aside,
        )
        self.number += sum(gone.values())
        return gone


@contextmanager
def removing_rows(deployment: "Deployment", *, no_undo: bool) -> Iterator[Rows]:
    """Lend what removes rows; unless it is for good, that they go aside is written down first. Raises `Away`."""
    if no_undo:
        yield Rows(deployment=deployment, behind=leftovers(deployment), aside=None)
        return
    kept, numbers = keeping(deployment), Counter[str]()
    sources = list(clients_of(deployment))
    forgotten = backend_url(deployment) is not None and RESULTS not in sources
    kept.keep(ROWS_NAME, {"mark": kept.mark, "sources": sources, "forgotten": forgotten})
    behind = leftovers(deployment, aside_for(kept, numbers))
    rows = Rows(deployment=deployment, behind=behind, aside=kept.id)
    yield rows
    size = size_aside(deployment, kept.mark, {k: n for k, n in numbers.items() if n})
    # Of a clear that was gone on with, all rows may have been hidden before.
    kept.fill(rows.number or numbers.total(), size)


def _items(found: Returned, keepsake: Keepsake) -> Iterator[Item]:
    if found.back or found.again:
        yield Item(
            what="rows", number=found.back, left=found.again, why=_AGAIN if found.again else ""
        )
    if keepsake.kept["forgotten"]:
        yield Item(what="results", number=0, left=found.back + found.again, why=_FORGOTTEN)


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    kept = keepsake.kept
    found = cleared(deployment.engine, keepsake.id)
    keys = items_of(look_at_keys(deployment, kept["mark"], kept["sources"]))
    return (*_items(found, keepsake), *keys)


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    back = again = 0
    for step in bring_rows_back(deployment.engine, keepsake.id):
        back, again = back + step.back, again + step.again
        progress(back, keepsake.number, "rows")
    kept = keepsake.kept
    keys = items_of(bring_back(deployment, kept["mark"], kept["sources"], progress))
    return (*_items(Returned(back=back, again=again), keepsake), *keys)


def _free(deployment: "Deployment", keepsake: Keepsake) -> Iterator[None]:
    yield from free_rows(deployment.engine, keepsake.id)
    yield from free_in(deployment, keepsake.kept["mark"], keepsake.kept["sources"])


ROWS = KeepsakeKind(name=ROWS_NAME, look=_look, bring_back=_bring_back, free=_free)
