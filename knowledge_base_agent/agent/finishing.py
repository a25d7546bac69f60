"""The end of a build: what has vanished goes, the README tells all, and the agent rests."""

import os
from functools import lru_cache

import structlog
from sqlalchemy import Engine

from knowledge_base_agent.agent.builds import Builds
from knowledge_base_agent.agent.index import open_index_to_write
from knowledge_base_agent.agent.readme import write_readme
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.agent_state import set_idle, set_running
from knowledge_base_agent.records.database import open_engine, writing
from knowledge_base_agent.records.reporting import log_line
from knowledge_base_agent.settings import Settings

log = structlog.get_logger()


def finish(settings: Settings, builds: Builds, build_id: str) -> None:
    """End a build. Doing so twice changes nothing the second time."""
    builds.reach(build_id, "README")
    bring_up_to_date(settings)
    builds.end(build_id)
    _say_over(settings, builds, build_id)


def bring_up_to_date(settings: Settings) -> None:
    """Drop what no source lists any more, and make the README tell what is known now."""
    gone = open_index_to_write(settings).forget_unlisted()
    for page in gone:
        (settings.knowledge_base_dir / page).unlink(missing_ok=True)
    if gone:
        log_line(f"{len(gone)} documents are in no source any more, and were removed")
    write_readme(settings)


def say_running(settings: Settings, build_id: str, source: str, phase: str) -> None:
    """Tell people what the agent is doing. A database that is away costs this word, not the build."""
    try:
        with writing(_engine(settings.database_url, os.getpid())) as connection:
            set_running(connection, task_id=build_id, source=source, phase=phase)
    except Away as problem:
        log.warning("the agent's state could not be written", reason=problem.what)


def say_reached(settings: Settings, builds: Builds, build_id: str) -> None:
    """Tell people that a build has come to its next phase, unless it is over."""
    build = builds.find(build_id)
    if build is not None and build.ended_at is None:
        say_running(settings, build_id, build.source, build.phase)


def _say_over(settings: Settings, builds: Builds, build_id: str) -> None:
    others = builds.under_way()
    try:
        with writing(_engine(settings.database_url, os.getpid())) as connection:
            was_this = set_idle(connection, only_task=build_id)
            if was_this and others:
                other = others[0]
                set_running(connection, task_id=other.id, source=other.source, phase=other.phase)
    except Away as problem:
        log.warning("the agent's state could not be written", reason=problem.what)


@lru_cache(maxsize=4)
def _engine(url: str, _process: int) -> Engine:
    return open_engine(url)
