"""The figures of the last full run, kept beside the experiments; `docs/trust.md` is made of them."""

import json
import os
import platform
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self

from tests.trust.trial import Figures

FILE = Path(__file__).parent / "figures.json"
_PACKAGES = ("celery", "redis", "sqlalchemy", "psycopg", "slack-bolt", "slack-sdk")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What came of one experiment, when and on what."""

    figures: Figures
    on: str
    """The day, UTC."""
    seconds: float
    machine: str
    versions: str

    @classmethod
    def now(cls, figures: Figures, seconds: float) -> Self:
        """Return figures of this moment and this machine."""
        return cls(
            figures=figures,
            on=f"{datetime.now(UTC):%Y-%m-%d}",
            seconds=round(seconds, 1),
            machine=_machine(),
            versions=_versions(),
        )


def keep(name: str, kept: Kept) -> None:
    """Put an experiment's figures in the place of its former ones."""
    values = {one: asdict(each) for one, each in all_kept().items()} | {name: asdict(kept)}
    FILE.write_text(
        json.dumps(dict(sorted(values.items())), indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )


def all_kept() -> dict[str, Kept]:
    """Return the figures by experiment; those never run are missing."""
    if not FILE.exists():
        return {}
    values = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: _read(value) for name, value in values.items()}


def _read(value: dict[str, object]) -> Kept:
    return Kept(**{**value, "figures": figures_of(value["figures"])})  # type: ignore[arg-type]


def figures_of(value: object) -> Figures:
    """Return figures from what JSON made of them."""
    assert isinstance(value, dict)
    lists = {name: tuple(value[name]) for name in ("seen", "left_out")}
    return Figures(**(value | lists))


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB"


def _versions() -> str:
    parts = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    return ", ".join([*parts, *(f"{name} {version(name)}" for name in _PACKAGES)])
