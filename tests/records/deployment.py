"""A tracked Celery app with a real prefork worker and a recorder, for the tests of this folder."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from sqlalchemy import Engine, update

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.hidden import locked_clearings, spare
from knowledge_base_agent.records.recorder import Recorder
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_history import TaskRecord, rows_by_ids
from knowledge_base_agent.settings import Settings
from tests.closing import closed_app
from tests.servers import RedisSpace
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def settings_for(space: RedisSpace, database_url: str, **more: object) -> Settings:
    """Return the settings of a deployment on these servers."""
    values = {
        "broker_url": space.broker_url,
        "result_backend": space.result_url,
        "progress_url": space.progress_url,
        "logs_url": space.logs_url,
        "database_url": database_url,
    }
    return Settings.model_validate(values | more)


def environment(settings: Settings) -> dict[str, str]:
    """Return what a process of that deployment finds in its environment."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CELERY_BROKER_URL": settings.broker_url,
        "CELERY_RESULT_BACKEND": settings.result_backend,
        "REDIS_PROGRESS_URL": settings.progress_url,
        "REDIS_LOGS_URL": settings.logs_url,
        "DATABASE_URL": settings.database_url,
    }


@contextlib.contextmanager
def worker(settings: Settings, app: Celery, *, concurrency: int = 2) -> Iterator[None]:
    """Run a prefork worker of `history_app`."""
    command = [sys.executable, "-m", "celery", "-A", "tests.records.history_app", "worker"]
    command += ["--concurrency", str(concurrency), "--loglevel", "INFO", "--without-mingle"]
    command += ["--hostname", f"history-{os.getpid()}@%h"]
    with subprocess.Popen(
        command,
        env=environment(settings),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: app.control.ping(timeout=0.5), within=30, what="the worker answers")
            yield
        finally:
            # Tasks that hang on purpose would hold up a warm shutdown; the group takes the children along.
            os.killpg(process.pid, 9)


@contextlib.contextmanager
def recording(
    settings: Settings, engine: Engine, *, batch: int = 4_000, kept: int = 100_000
) -> Iterator[None]:
    """Run a recorder in a thread; at the end it must have stopped by itself when told to."""
    stop = threading.Event()
    recorder = Recorder(settings, engine, batch=batch, kept=kept)
    thread = threading.Thread(target=recorder.run, args=(stop,), name="recorder")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=15)
        assert not thread.is_alive(), "the recorder did not stop"


@dataclass(frozen=True, kw_only=True)
class Running:
    """A client of the deployment, and its rows as the recorder writes them."""

    settings: Settings
    app: Celery
    engine: Engine

    def send(self, name: str, *args: object, **options: Any) -> str:
        """Publish a task of `history_app` and return its id."""
        kwargs = options.pop("kwargs", {})
        return str(self.app.send_task(f"history.{name}", args, kwargs, **options).id)

    def row(self, task_id: str) -> TaskRecord | None:
        """Return the task's row, if it is there yet."""
        with reading(self.engine) as connection:
            return rows_by_ids(connection, [task_id]).get(task_id)

    def row_when(
        self, task_id: str, fits: Callable[[TaskRecord], bool], *, what: str, within: float = 15
    ) -> TaskRecord:
        """Return the task's row as soon as it fits."""

        def fitting() -> TaskRecord | None:
            row = self.row(task_id)
            return row if row is not None and fits(row) else None

        try:
            found = wait_until(fitting, within=within, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}; the row is {self.row(task_id)}") from None
        assert found is not None
        return found

    def row_in(self, task_id: str, state: str, *, within: float = 15) -> TaskRecord:
        """Return the task's row as soon as it is in this state."""
        return self.row_when(
            task_id, lambda row: row.state == state, what=f"it is {state}", within=within
        )

    def age(self, task_id: str, by: timedelta) -> None:
        """Let a row be older than it is, and seen, whatever has been cleared."""
        row = self.row(task_id)
        assert row is not None
        with writing(self.engine) as connection:
            mine = update(TASKS).where(TASKS.c.id == task_id)
            connection.execute(mine.values(updated_at=row.updated_at - by))
            older = (task_id, row.state, row.updated_at - by)
            spare(connection, locked_clearings(connection), [older])


@contextlib.contextmanager
def running(space: RedisSpace, database_url: str) -> Iterator[Running]:
    """Run a whole deployment: worker and recorder, and lend a client."""
    settings = settings_for(space, database_url)
    engine = open_engine(database_url)
    with closed_app(make_app(settings)) as app, recording(settings, engine), worker(settings, app):
        yield Running(settings=settings, app=app, engine=engine)
    engine.dispose()
