"""What somebody did alone a moment ago, or does right now, so that nobody gets by parts what needs two people at once.

The road locks out other claims before it asks here, so that of two clicks at the same moment the second one knows of
the first.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from knowledge_base_agent import runs
from knowledge_base_agent.actors import Surface
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import Confirmation, State
from knowledge_base_agent.operations.operation import Preview
from knowledge_base_agent.problems import Repeated
from knowledge_base_agent.records.road_tables import CONFIRMATIONS
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.two_people import why_together

_MAINTENANCE: Final = "maintenance"
_RESUME: Final = "ops resume"


def before(
    connection: Connection, operation: str, target: str, settings: Settings, *, asker: str, surface: Surface,
    but: str = "",
) -> tuple[Scope, ...]:  # fmt: skip
    """Return what this person (an id) asked for and confirmed alone by the same operation, within the window.

    `but` is the id of a confirmation that is claimed just now. Nothing for the shell and the schedule, which have no
    second person. Whatever needed two people is left out: it has been approved, or everyone has heard of it.
    """
    if surface is not Surface.SLACK:
        return ()
    since, frozen = utc_now() - settings.two_person_within, json.loads(target)
    resumed = frozen["run"] if operation == _RESUME else ""  # what is left of it is not more
    c = CONFIRMATIONS.c
    query = select(c.operation, c.target, c.scope).where(
        c.state == State.CLAIMED.value,
        c.expires_at >= since,  # follows from the next, and is in the index
        c.settled_at >= since,
        c.asked_by == asker,
        c.settled_by == asker,
        c.why_two == "",
        c.id != but,
        c.run_id != resumed,
    )
    wanted = _does(operation, frozen)
    rows = connection.execute(query).mappings()
    return tuple(Scope.model_validate_json(row["scope"]) for row in rows if wanted & _of(row))


def _of(row: RowMapping) -> frozenset[str]:
    return _does(row["operation"], json.loads(row["target"]))


def _does(operation: str, target: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of what an operation has done: a round and a resumed run are others under another name."""
    if operation == _MAINTENANCE:
        return frozenset(step["operation"] for step in target["steps"])
    if operation == _RESUME:
        return _does(target["operation"], json.loads(target["target_json"]))
    return frozenset({operation})


def check(
    connection: Connection,
    found: Confirmation,
    preview: Preview[Any],
    settings: Settings,
    looked_at: datetime,
) -> None:
    """Return if what was decided by the look at the click (from `looked_at`, aware UTC) still holds. Raises `Repeated`.

    It does not where one person was enough and another run has changed, or is changing, what that hung on. Then the
    preview stays, and the next click looks again.
    """
    surface = Surface(found.surface)
    if found.why_two or surface is not Surface.SLACK:
        return
    if preview.leaves is not None:
        _check_beside(connection, found, looked_at)
    earlier = before(
        connection, found.operation, found.target, settings, asker=found.asked_by, surface=surface,
        but=found.id,
    )  # fmt: skip
    if why := why_together(preview, earlier, settings):
        raise Repeated(
            f"Something else was confirmed at the same moment, and by now {why}. Nothing was done.",
            "Confirm again to see what it needs.",
        )


def _check_beside(connection: Connection, found: Confirmation, looked_at: datetime) -> None:
    names = _does(found.operation, json.loads(found.target)) | {_RESUME}
    run = runs.disturbing(connection, names, looked_at)
    if run is not None:
        raise Repeated(
            f"{run.id} (`{plain(run.words, 120)}`, by {run.actor_name}) is doing the same to others right now, so what "
            "would be left can't be told. Nothing was done.",
            "Confirm again when it has ended.",
        )
