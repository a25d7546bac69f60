"""The newest figures of each row, kept beside the bench; `docs/performance.md` is made of them."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from pydantic import TypeAdapter

from bench.rows import Outcome, Row

FILE = Path(__file__).parent / "figures.json"
_VERSIONS = ("celery", "kombu", "redis", "sqlalchemy", "slack-bolt", "aiohttp", "flower")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What came of one row in full, when and on what."""

    outcome: Outcome | None
    why_not: str = ""
    """Why it could not be measured, where there is no outcome."""
    at: str
    """The day and the time, UTC."""
    seconds: float
    """How long it took to measure."""
    on: str
    """The machine and the versions."""


_ALL = TypeAdapter(dict[str, Kept])


def keep(row: Row, outcome: Outcome | str, seconds: float) -> None:
    """Put a row's figures in the place of its former ones."""
    found = outcome if isinstance(outcome, Outcome) else None
    now = Kept(
        outcome=found,
        why_not="" if found else str(outcome),
        at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        seconds=round(seconds, 1),
        on=_machine(),
    )
    values = dict(sorted({**all_kept(), _name(row): now}.items()))
    FILE.write_bytes(_ALL.dump_json(values, indent=1) + b"\n")


def kept(row: Row) -> Kept | None:
    """Return a row's figures, or None where it was never measured."""
    return all_kept().get(_name(row))


def all_kept() -> dict[str, Kept]:
    """Return the figures by row."""
    return _ALL.validate_json(FILE.read_bytes()) if FILE.exists() else {}


def _name(row: Row) -> str:
    return f"{row.number:02} {row.title}"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {_version(name)}" for name in _VERSIONS)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; {versions}"
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"
