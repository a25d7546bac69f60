"""The same asked for twice by hand: while it runs by anybody, within a minute by the same person.

Whoever repeats a command mostly has not seen what became of the first one. So they are told that, and nothing is done a
second time, unless they say that they mean it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Repeated
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.runs import Run, State, latest_of, running_for
from knowledge_base_agent.scope import fingerprint
from knowledge_base_agent.wording import duration

WITHIN: Final = timedelta(seconds=60)
FLAG: Final = "--repeat"
_LOCK: Final = 0x6B625F72  # any number, but the same in each process
_SECOND: Final = timedelta(seconds=1)


def asked_for(operation: str, arguments: Mapping[str, Any]) -> str:
    """Return what names the same operation with the same arguments (values of JSON's types), in whatever words."""
    return fingerprint(operation, arguments)


def check_running(connection: Connection, asked: str) -> None:
    """Return unless a run of the same goes on. Raises `Repeated`, which says whose and since when."""
    run = running_for(connection, asked)
    if run is not None:
        raise Repeated(
            f"`{plain(run.words, 200)}` is already running as {run.id}, by {run.actor_name}, since "
            f"{run.started_at:%H:%M:%S} UTC. Nothing was started a second time.",
            "`ops` lists what goes on; ask again when it has ended.",
        )


def check(
    connection: Connection, actor: Actor, asked: str, *, scope: str = "", repeat: bool = False
) -> None:
    """Return if this may start: it does not run, and it is no repetition. Raises `Repeated`.

    `scope` is the fingerprint of what would be touched, empty where there was no preview. The caller starts the run in
    the same transaction: until it commits, no other process passes this point.
    """
    if (
        connection.dialect.name == "postgresql"
    ):  # on SQLite, a writing transaction is alone from its beginning
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    check_running(connection, asked)
    latest = None if repeat else latest_of(connection, actor.id)
    if latest is None or (latest.asked, latest.scope) != (asked, scope):
        return
    # What failed is asked for again with good reason. What was interrupted may have been done.
    ago = utc_now() - latest.started_at
    if latest.state is not State.FAILED and ago < WITHIN:
        raise Repeated(
            f"{latest.id} did this {duration(max(ago, _SECOND))} ago: {_outcome(latest)}",
            f"If you mean to do it once more, add `{FLAG}`, or ask again after "
            f"{latest.started_at + WITHIN:%H:%M:%S} UTC.",
        )


def _outcome(run: Run) -> str:
    if run.state is State.INTERRUPTED:
        return "what came of it is unknown, its process is gone."
    return plain(run.outcome, 300) or "it came to its end."
