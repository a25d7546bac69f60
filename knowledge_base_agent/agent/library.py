"""What a task of the agent works with: the settings, the full-text index and the builds of one deployment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine

from knowledge_base_agent.agent.builds import Builds
from knowledge_base_agent.agent.catalogue import index_file_number, open_catalogue
from knowledge_base_agent.agent.index import Index
from knowledge_base_agent.settings import Settings

TASK_SECONDS = 30.0
"""How long a task waits for its turn to write."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """An open library; `engine` is the catalogue's, behind index and builds."""

    settings: Settings
    engine: Engine
    index: Index
    builds: Builds

    @property
    def folder(self) -> Path:
        """The browsable knowledge base."""
        return self.settings.knowledge_base_dir


@contextmanager
def open_library(settings: Settings, *, deadline: float = TASK_SECONDS) -> Iterator[Library]:
    """Open the deployment's library, made where it is missing; each call of it ends within `deadline` seconds.

    Raises `Away`.
    """
    library = _make(settings, deadline)
    try:
        yield library
    finally:
        library.engine.dispose()


def library_of_this_process(settings: Settings) -> Library:
    """Return the library that the tasks of this process share until it ends. Raises `Away`."""
    return _kept(settings, os.getpid(), index_file_number(settings))


@lru_cache(maxsize=1)
def _kept(settings: Settings, _process: int, _file: int | None) -> Library:
    # A process, since a connection must not be shared across a fork; a file, since somebody may delete the knowledge
    # base to build it anew, and an open SQLite would go on in the file that is gone.
    return _make(settings, TASK_SECONDS)


def _make(settings: Settings, deadline: float) -> Library:
    engine = open_catalogue(settings, deadline=deadline)
    return Library(
        settings=settings,
        engine=engine,
        index=Index(engine),
        builds=Builds(engine, time_limit=timedelta(seconds=settings.task_time_limit)),
    )
