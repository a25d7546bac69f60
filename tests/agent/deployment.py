"""A deployment of the agent with a real prefork worker, for the tests of this folder."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
from celery import Celery

from knowledge_base_agent.agent.build import Counts
from knowledge_base_agent.agent.library import Library, open_library
from knowledge_base_agent.agent.starting import StartedRun, start
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.records.agent_state import AgentState, read_agent_state
from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.task_logs import read_logs
from knowledge_base_agent.records.task_progress import read_progress
from knowledge_base_agent.settings import Settings
from tests.closing import close_app
from tests.servers import RedisSpace
from tests.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_WORKER = (
    *(sys.executable, "-m", "celery", "-A", "knowledge_base_agent.celery_app", "worker"),
    *("-c", "4", "-Q", "celery,agent", "--without-gossip", "--without-mingle"),
)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A deployment, and what a person would look at."""

    settings: Settings
    app: Celery

    def start(self, source: object) -> StartedRun:
        """Ask for a run."""
        return start(self.app, self.settings, str(source))

    def build(self, source: object) -> Counts:
        """Ask for a run, and return what came of it when it is over."""
        started = self.start(source)
        with open_library(self.settings) as library:
            wait_until(
                lambda: _is_over(library, started.task_id), within=60, what="the run is over"
            )
            return library.builds.counts(started.task_id)

    def state(self) -> AgentState:
        """Return the agent's state."""
        engine = open_engine(self.settings.database_url)
        try:
            with reading(engine) as connection:
                return read_agent_state(connection)
        finally:
            engine.dispose()

    def readme(self) -> str:
        """Return the README; empty when there is none."""
        path = self.settings.knowledge_base_dir / "README.md"
        return path.read_text() if path.exists() else ""

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Return the knowledge base's files: their bytes, and when they were written (ns)."""
        folder = self.settings.knowledge_base_dir
        return {
            str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith("index.sqlite3")
        }

    def found(self, words: str) -> list[str]:
        """Return the titles that a search finds."""
        with open_library(self.settings) as library:
            return [hit.title for hit in library.index.search(words)]

    def progress(self, task_id: str) -> tuple[float | None, float | None]:
        """Return how much a task says is done, and of how much."""
        with redis.Redis.from_url(self.settings.progress_url) as client:
            said = read_progress(client, [task_id]).get(task_id)
        return (said.done, said.total) if said else (None, None)

    def logs(self, task_id: str) -> list[str]:
        """Return what a task logged."""
        with redis.Redis.from_url(self.settings.logs_url) as client:
            return [line.text for line in read_logs(client, task_id)]

    def task_of(self, build: StartedRun, location: str) -> str:
        """Return the id of a document's task while it has not ended; empty when it is not under way."""
        with open_library(self.settings) as library:
            left = library.builds.left(build.task_id)
        return next((item.task_id for item in left if item.location == location), "")


def _is_over(library: Library, build_id: str) -> bool:
    build = library.builds.find(build_id)
    return build is not None and build.ended_at is not None


def _environment(database_url: str, space: RedisSpace, folder: Path) -> dict[str, str]:
    return {
        "CELERY_BROKER_URL": space.broker_url,
        "CELERY_RESULT_BACKEND": space.result_url,
        "REDIS_PROGRESS_URL": space.progress_url,
        "REDIS_LOGS_URL": space.logs_url,
        "DATABASE_URL": database_url,
        "KB_DATA_DIR": str(folder / "data"),
        "CELERY_TASK_TIME_LIMIT": "60",
    }


@contextlib.contextmanager
def running(database_url: str, space: RedisSpace, folder: Path) -> Iterator[Running]:
    """Start a worker of four processes, lend the deployment, and end it."""
    environment = _environment(database_url, space, folder)
    settings = Settings.model_validate({name.lower(): value for name, value in environment.items()})
    app = make_app(settings)
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [*_WORKER, "-n", f"agent-test-{folder.name}@here"],
            env={**os.environ, **environment},
            cwd=_ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Running(settings=settings, app=app)
    except BaseException:
        print((folder / "worker.log").read_text()[-8000:])
        raise
    finally:
        worker.terminate()
        try:
            worker.wait(timeout=8)
        except subprocess.TimeoutExpired:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        close_app(app)
