"""The end of a build: what has vanished goes, the README tells all, and the agent rests."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from knowledge_base_agent.agent.build import Build
from knowledge_base_agent.agent.library import Library
from knowledge_base_agent.agent.readme import write_readme
from knowledge_base_agent.problems import Away
from knowledge_base_agent.process_log import lines
from knowledge_base_agent.records.agent_state import set_idle, set_running
from knowledge_base_agent.records.database import open_engine, writing
from knowledge_base_agent.records.reporting import log_line

log = lines()


def finish(library: Library, build_id: str) -> None:
    """End a build. Doing so twice changes nothing the second time."""
    library.builds.reach(build_id, "README")
    bring_up_to_date(library)
    library.builds.end(build_id)
    others = library.builds.under_way()
    with _agent_state(library) as connection:
        was_this = set_idle(connection, only_task=build_id)
        if was_this and others:
            other = others[0]
            _set_running(connection, other)


def bring_up_to_date(library: Library) -> None:
    """Drop what no source lists any more, and make the README tell what is known now."""
    gone = library.index.forget_unlisted()
    for page in gone:
        (library.folder / page).unlink(missing_ok=True)
    if gone:
        log_line(f"{len(gone)} documents are in no source any more, and were removed")
    write_readme(library)


def say_reached(library: Library, build_id: str) -> None:
    """Tell people how far a build has come, unless it is over."""
    build = library.builds.find(build_id)
    if build is not None and build.ended_at is None:
        with _agent_state(library) as connection:
            _set_running(connection, build)


def _set_running(connection: Connection, build: Build) -> None:
    set_running(
        connection,
        task_id=build.id,
        source=build.source,
        phase=build.phase,
        started_at=build.started_at,
    )


@contextmanager
def _agent_state(library: Library) -> Iterator[Connection]:
    """Open the database of people's view of the agent. That it is away costs them this word, not the build."""
    engine = open_engine(library.settings.database_url)
    try:
        with writing(engine) as connection:
            yield connection
    except Away as problem:
        log.warning("the agent's state could not be written", reason=problem.what)
    finally:
        engine.dispose()
