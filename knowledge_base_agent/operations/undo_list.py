"""All kinds of keepsakes, and the freeing of those whose time is over."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.undo_agent import AGENT
from knowledge_base_agent.operations.undo_keys import KEYS
from knowledge_base_agent.operations.undo_kinds import KeepsakeKind
from knowledge_base_agent.operations.undo_messages import MESSAGES
from knowledge_base_agent.operations.undo_moved_messages import MOVED_MESSAGES
from knowledge_base_agent.operations.undo_pauses import PAUSES
from knowledge_base_agent.operations.undo_rates import RATES
from knowledge_base_agent.operations.undo_revoked import REVOKED_TASKS
from knowledge_base_agent.operations.undo_rows import ROWS
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.process_log import lines
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.keepsakes import expire, freed

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

log = lines()
KINDS: Final[dict[str, KeepsakeKind]] = {
    one.name: one
    for one in (MESSAGES, MOVED_MESSAGES, ROWS, KEYS, AGENT, PAUSES, RATES, REVOKED_TASKS)
}


def free_what_is_over(deployment: "Deployment") -> Iterator[str | None]:
    """Free what can't be brought back any more: yield None after each portion, and for the log what is freed whole.

    A store that is away keeps no other from being freed; it is tried again at the next call. Raises `Away` without the
    database.
    """
    with writing(deployment.engine) as connection:
        over = expire(connection, utc_now())
    for one in over:
        try:
            for _ in KINDS[one.kind].free(deployment, one):
                yield None
        except Problem as problem:
            log.warning("what was put aside could not be freed", run=one.run_id, why=problem.what)
            continue
        with writing(deployment.engine) as connection:
            freed(connection, one.id)
        yield f"{one.run_id} can't be undone any more: its {one.kind} put aside are freed"
