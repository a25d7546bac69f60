"""One active holder at a time, by a row in the database that expires: for work that must go on while Redis is away.

A holder that slept past its lease may still believe in it, so what it does must bear to be done twice, or be fenced.
"""

import secrets
import socket
import time
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.lease_tables import LEASES
from knowledge_base_agent.records.upserts import insert_into

TTL: Final = timedelta(seconds=15)


class RowLease:
    """A lease on `name`. Every method raises `Away` while the database can't be written."""

    def __init__(self, engine: Engine, name: str, *, ttl: timedelta = TTL) -> None:
        self._engine = engine
        self._name = name
        self._ttl = ttl
        self._holder = f"{socket.gethostname()[:80]}/{secrets.token_hex(8)}"
        self._renewed_at: float | None = None

    def hold(self) -> bool:
        """Take the lease or keep it; tell whether it is ours. Asks the database at most every third of its time."""
        asked_at = time.monotonic()
        fresh = self._ttl.total_seconds() / 3
        if self._renewed_at is not None and asked_at - self._renewed_at < fresh:
            return True
        self._renewed_at = None
        with writing(self._engine) as connection:
            ours = connection.execute(self._taking(connection)).first() is not None
        self._renewed_at = asked_at if ours else None
        return ours

    def release(self) -> None:
        """Let another take over at once."""
        self._renewed_at = None
        mine = (LEASES.c.name == self._name) & (LEASES.c.holder == self._holder)
        with writing(self._engine) as connection:
            connection.execute(delete(LEASES).where(mine))

    def _taking(self, connection: Connection) -> Any:
        """Return the one statement on which it rests: of any number of processes, one sees a row change."""
        now = _now(connection)
        row = {"name": self._name, "holder": self._holder, "until": now + self._ttl}
        return (
            insert_into(connection, LEASES)
            .values(row)
            .on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": row["holder"], "until": row["until"]},
                where=(LEASES.c.holder == self._holder) | (LEASES.c.until < now),
            )
            .returning(LEASES.c.name)
        )


def _now(connection: Connection) -> datetime:
    """Return the database's time, since the holders' clocks may differ. SQLite is always on this machine."""
    if connection.dialect.name == "sqlite":
        return utc_now()
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found
