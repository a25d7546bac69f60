"""The rows that ids or a filter choose, for what acts on exact tasks: capped, and saying so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.filtering import Filtering
from knowledge_base_agent.records.task_history import TaskRecord, rows_by_ids
from knowledge_base_agent.records.task_search import eldest, reading_for

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

MOST: Final = 1000
_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The rows, the oldest first; `unknown` says of an id why it has none, `more` that there are more rows."""

    rows: tuple[TaskRecord, ...]
    unknown: Mapping[str, str]
    more: str = ""


def chosen_rows(
    deployment: "Deployment", ids: Sequence[str], wanted: Filtering, *, default: tuple[str, ...]
) -> Chosen:
    """Return the rows of these ids, or else those that the filter chooses, at most 1,000 and in `default` states.

    Raises `Away` when the database does not answer in time.
    """
    with reading_for(deployment.engine, _SECONDS) as connection:
        if ids:
            found = rows_by_ids(connection, ids)
            missing = [one for one in dict.fromkeys(ids) if one not in found]
            return Chosen(
                rows=tuple(found.values()), unknown=dict.fromkeys(missing, "no row knows it")
            )
        choice = wanted.chosen(utc_now())
        choice = replace(choice, states=choice.states or default)
        rows = eldest(connection, choice, limit=MOST + 1)
    more = f"More than {MOST:,} tasks fit: these are the {MOST:,} oldest. Ask again for the rest."
    return Chosen(rows=tuple(rows[:MOST]), unknown={}, more=more if len(rows) > MOST else "")
