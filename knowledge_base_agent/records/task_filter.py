"""Which rows are meant: one frozen value, and the condition in SQL that it stands for.

Times are absolute, so a filter that was frozen in a preview means the same when it is acted on. Patterns know `*` and
`?` alone and tell capital letters from small ones, on both databases: SQLite's LIKE would not, hence GLOB there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, literal, or_, true

from knowledge_base_agent.records.tables import TASKS

_ANY: Final = {"sqlite": "*", "postgresql": "%"}
_ONE: Final = {"sqlite": "?", "postgresql": "_"}
_LITERAL: Final = {
    "sqlite": {"*": "[*]", "?": "[?]", "[": "[[]"},
    "postgresql": {"%": "\\%", "_": "\\_", "\\": "\\\\"},
}


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """What a row must be like; what is empty or None asks for nothing.

    `since` (included) and `until` (not) are aware UTC, about `updated_at`: when the present state began. `name`,
    `queue` and `worker` are patterns of `*` and `?`. `argument` and `error` are texts that must be contained, in any
    case; arguments are searched as they are kept, redacted and shortened. `error_class` is exact.
    """

    id_prefix: str = ""
    name: str = ""
    states: tuple[str, ...] = ()
    queue: str = ""
    worker: str = ""
    argument: str = ""
    error: str = ""
    error_class: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing, so that every row is meant."""
        return self == TaskFilter()


def condition(wanted: TaskFilter, dialect: str) -> ColumnElement[bool]:
    """Return the condition on `tasks` for a database of this dialect (`sqlite` or `postgresql`)."""
    parts: list[ColumnElement[bool]] = []
    if wanted.states:
        parts.append(TASKS.c.state.in_(wanted.states))
    if wanted.since is not None:
        parts.append(TASKS.c.updated_at >= wanted.since)
    if wanted.until is not None:
        parts.append(TASKS.c.updated_at < wanted.until)
    if wanted.id_prefix:
        pattern = _plain(wanted.id_prefix, dialect) + _ANY[dialect]
        parts.append(_like(TASKS.c.id, pattern, dialect))
    for column, glob in (
        (TASKS.c.name, wanted.name),
        (TASKS.c.queue, wanted.queue),
        (TASKS.c.worker, wanted.worker),
    ):
        if glob:
            parts.append(_like(column, translated(glob, dialect), dialect))
    return and_(true(), *parts, *_texts(wanted, dialect))


def _texts(wanted: TaskFilter, dialect: str) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if wanted.argument:
        parts.append(_contains(TASKS.c.args_repr, wanted.argument, dialect))
    if wanted.error:
        columns = (TASKS.c.error_class, TASKS.c.error_message)
        parts.append(or_(*(_contains(column, wanted.error, dialect) for column in columns)))
    if wanted.error_class:
        parts.append(TASKS.c.error_class == wanted.error_class)
    return parts


def translated(glob: str, dialect: str) -> str:
    """Return a pattern of `*` and `?` as this database writes it; all other characters stand for themselves."""
    signs = {"*": _ANY[dialect], "?": _ONE[dialect]}
    return "".join(signs.get(sign) or _plain(sign, dialect) for sign in glob)


def _plain(text: str, dialect: str) -> str:
    return "".join(_LITERAL[dialect].get(sign, sign) for sign in text)


def _like(column: ColumnElement[Any], pattern: Any, dialect: str) -> ColumnElement[bool]:
    if dialect == "sqlite":
        return column.op("GLOB", is_comparison=True)(pattern)
    return column.like(pattern, escape="\\")


def _contains(column: ColumnElement[Any], text: str, dialect: str) -> ColumnElement[bool]:
    within = _ANY[dialect] + _plain(text, dialect) + _ANY[dialect]
    # Both sides are lowered by the database: its idea of a capital letter may differ from Python's.
    return _like(func.lower(column), func.lower(literal(within)), dialect)
