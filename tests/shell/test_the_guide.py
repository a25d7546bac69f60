"""The operations guide, line by line: each is typed as it is written there, against a live worker."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from sqlalchemy import select

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.hidden import shown
from knowledge_base_agent.records.hidden_tables import CLEARINGS
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.settings import Settings
from tests.closing import closed_app
from tests.operations.test_filters import remember
from tests.records.deployment import ROOT, environment, settings_for
from tests.servers import RedisSpaces
from tests.waiting import wait_until

# As the guide has them; `…` stands for the id of a task that really is there.
QUESTIONS = [
    "python celery_monitor.py stats",
    "python celery_monitor.py active-tasks",
    "python celery_monitor.py stuck-tasks",
    "python celery_monitor.py clear-old-tasks --dry-run",
    "celery -A knowledge_base_agent.celery_app status",
    "celery -A knowledge_base_agent.celery_app inspect stats",
    "celery -A knowledge_base_agent.celery_app inspect active",
    "celery -A knowledge_base_agent.celery_app inspect scheduled",
]
CLEARS = {
    "python celery_monitor.py clear-old-tasks": {"old"},
    "python celery_monitor.py clear-old-tasks --older-than 12": {"old", "of-noon"},
    "python celery_monitor.py clear-old-tasks --status FAILURE --status REVOKED": {"old"},
    "python celery_monitor.py clear-old-tasks --status PROGRESS": {"left"},
    "python celery_monitor.py clear-old-tasks --older-than 0": {"old", "of-noon", "new"},
}
"""Which of the rows below each line removes."""
ROWS: dict[str, tuple[str, float]] = {
    "old": ("FAILURE", 30),
    "of-noon": ("SUCCESS", 13),
    "new": ("FAILURE", 1),
    "left": ("PROGRESS", 30),
}
"""By id: the state, and how many hours ago it began."""
WHY = "the guide says so\n"
CHANGES = [
    "python celery_monitor.py revoke-tasks --task-id …",
    "python celery_monitor.py revoke-tasks --all-active",
    "python celery_monitor.py flush-redis",
    "python celery_monitor.py reset-agent-state",
    "python celery_monitor.py purge-queues --queue agent",
    "celery -A knowledge_base_agent.celery_app control revoke …",
]
LAST = "celery -A knowledge_base_agent.celery_app control shutdown"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A shell in the project's folder, and the worker that the guide starts."""

    settings: Settings
    worker: subprocess.Popen[bytes]

    def types(self, line: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """Type a line of the guide; `python` and `celery` are those of this environment."""
        folder = Path(sys.executable).parent
        words = shlex.split(line)
        words[:1] = [str(folder / words[0])] if words[0] == "celery" else [sys.executable]
        return subprocess.run(
            words, input=answer, capture_output=True, text=True, cwd=ROOT, timeout=60,
            env=environment(self.settings), check=False,
        )  # fmt: skip

    def waiting_task(self) -> str:
        """Send a task that waits for its time, and return its id."""
        with closed_app(make_app(self.settings)) as app:
            sent = app.send_task(
                "knowledge_base_agent.agent.process_document", ("x", "y", "z"), countdown=600
            )
        return str(sent.id)


@pytest.fixture(scope="module")
def desk(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The guide's worker line, running."""
    folder = tmp_path_factory.mktemp("guide")
    url = f"sqlite:///{folder / 'kb.sqlite3'}"
    migrate(url)
    with redis_spaces.one() as space:
        settings = settings_for(space, url, data_dir=folder)
        line = "-m knowledge_base_agent.cli worker --concurrency 8"
        worker = subprocess.Popen(
            [sys.executable, *line.split()],
            cwd=ROOT,
            env=environment(settings) | {"KB_DATA_DIR": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with closed_app(make_app(settings)) as app:
                wait_until(lambda: app.control.ping(timeout=0.5), within=40, what="it answers")
            yield Desk(settings=settings, worker=worker)
        finally:
            if worker.poll() is None:
                os.killpg(worker.pid, 9)
            worker.wait()


@pytest.mark.parametrize("line", QUESTIONS)
def test_a_question_of_the_guide_is_answered(desk: Desk, line: str) -> None:
    done = desk.types(line)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.strip()


@pytest.mark.parametrize("line", CHANGES)
def test_a_change_of_the_guide_does_what_it_says_or_finds_nothing_to_do(
    desk: Desk, line: str
) -> None:
    if "…" in line:
        line = line.replace("…", desk.waiting_task())
    done = desk.types(line, "y\n")
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("line", CLEARS)
def test_the_guides_lines_that_clear_remove_what_they_say_and_no_more(
    desk: Desk, line: str
) -> None:
    engine = open_engine(desk.settings.database_url)
    with writing(engine) as connection:
        connection.execute(TASKS.delete())
        connection.execute(CLEARINGS.delete())
    for name, (state, hours) in ROWS.items():
        remember(engine, name, hours=hours, state=state)
    done = desk.types(line, WHY * line.endswith(" 0") + "y\n")
    assert done.returncode == 0, done.stderr + done.stdout
    with reading(engine) as connection:
        left = set(connection.scalars(select(TASKS.c.id).where(shown(connection))))
    engine.dispose()
    assert set(ROWS) - left == CLEARS[line]


def test_a_purge_of_every_queue_asks_why_and_empties_them(desk: Desk) -> None:
    """It is of the top risk: the guide's line names no reason, so it is asked for."""
    with closed_app(make_app(desk.settings)) as app:
        sent = app.send_task("knowledge_base_agent.agent.run_agent", ("docs",), queue="left-behind")
    line = "python celery_monitor.py purge-queues"
    for typed in ("", "y\n", WHY, WHY + "n\n"):
        declined = desk.types(line, typed)
        assert declined.returncode == 1, typed
    assert waiting(desk) == 1
    done = desk.types(line, WHY + "y\n")
    assert done.returncode == 0, done.stderr + done.stdout
    assert waiting(desk) == 0, sent


def waiting(desk: Desk) -> int:
    with redis.Redis.from_url(desk.settings.broker_url) as client:
        return int(client.llen("left-behind"))


def test_the_guides_last_line_ends_the_worker(desk: Desk) -> None:
    # Celery says "no nodes replied": a worker that shuts down ends before it answers. What counts is that it ended.
    desk.types(LAST)
    wait_until(lambda: desk.worker.poll() is not None, within=30, what="the worker ends")
