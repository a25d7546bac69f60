"""Hidden rows for tests: hiding some, counting what is where, and checking the kept figures."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.cleared_tables import CLEARED_TASKS
from knowledge_base_agent.records.clearing import clear
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.hidden import shown
from knowledge_base_agent.records.hidden_tables import CLEARINGS
from knowledge_base_agent.records.tables import TASKS
from tests.records.entries import NOON, life

NOON_UTC = datetime.fromtimestamp(NOON / 1_000_000, UTC)
LATER = NOON_UTC + timedelta(hours=3)


def hides_as_it_says(engine: Engine) -> None:
    """Check the kept numbers of hidden rows against the rows."""
    with reading(engine) as connection:
        said = connection.scalar(select(func.sum(CLEARINGS.c.hides))) or 0
        every = connection.scalar(select(func.count()).select_from(TASKS)) or 0
        visible = connection.scalar(
            select(func.count()).where(shown(connection)).select_from(TASKS)
        )
    assert said == every - (visible or 0)


def aside(engine: Engine, table: Any = CLEARED_TASKS) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def hidden(engine: Engine, number: int = 6) -> None:
    """Let so many tasks have ended, and hide their rows."""
    with writing(engine) as connection:
        for n in range(number):
            write_entries(connection, life(f"t-{n}"))
    assert clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k0") == {"SUCCESS": number}
