"""What a task of the agent works with: the settings, the full-text index and the builds of one deployment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from knowledge_base_agent.agent.builds import Builds
from knowledge_base_agent.agent.catalogue import open_catalogue
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

    Opened by each task for itself, since a connection must not be shared across a fork. Raises `Away`.
    """
    engine = open_catalogue(settings, deadline=deadline)
    try:
        time_limit = timedelta(seconds=settings.task_time_limit)
        yield Library(
            settings=settings,
            engine=engine,
            index=Index(engine),
            builds=Builds(engine, time_limit=time_limit),
        )
    finally:
        engine.dispose()
