"""Where the audit can't be written nothing is changed: each operation that changes something, on a whole deployment.

What is judged is not ours: the keys of every Redis, what the worker says of itself, and what its tasks still do.
"""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, event, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.flush_keeping import RESOLUTION
from knowledge_base_agent.operations.operation import Risk
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.agent_state import set_running
from knowledge_base_agent.records.alerts import Opening, open_alert
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import SILENT_AFTER, number_of
from tests.operations.place import Place, Shell, place
from tests.servers import RedisSpaces
from tests.waiting import wait_until

CHANGES = {
    "workers grow": "workers grow 1",
    "workers shrink": "workers shrink 1",
    "workers rate-limit": "workers rate-limit history.add 1/h",
    "alerts acknowledge": "alerts acknowledge 1",
    "alerts snooze": "alerts snooze 1 --for 1h",
    "pause": "pause celery",
    "resume": "resume other",
    "run": "run {folder}",
    "ops abandon": "ops abandon {interrupted}",
}
DESTROYS = {
    "workers shutdown": "workers shutdown --reason test",
    "clear": "clear --older-than 0 --status FAILURE --reason test",
    "revoke": "revoke --all-active --terminate",
    "retry": "retry {failed}",
    "purge": "purge --queue celery",
    "flush": "flush",
    "reset-agent": "reset-agent",
    "reset": "reset --partial --longer-than 1s",
    "undo": "undo {purged}",
    "maintenance": "maintenance weekly",
    "ops resume": "ops resume {interrupted}",
}


_RESTLESS = (b"pidbox", b"_kombu.binding_deadlines", b"kb:history")
"""Keys that change with every question, this test's own among them."""


class Brake:
    """Makes the database of one deployment read-only, from one moment to the next, as a full disk or a replica is."""

    def __init__(self, engine: Engine) -> None:
        self.on = False
        event.listen(engine, "checkout", self._lent)

    def _lent(self, connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA query_only = {'ON' if self.on else 'OFF'}")

    @contextlib.contextmanager
    def pulled(self) -> Iterator[None]:
        """Let nothing be written meanwhile."""
        self.on = True
        try:
            yield
        finally:
            self.on = False


class Scene:
    """A deployment with something of every kind to destroy, and a shell whose database has a brake."""

    def __init__(self, here: Place, shell: Deployment, words: dict[str, str]) -> None:
        self.here = here
        self.shell = Shell(deployment=shell)
        self.brake = Brake(shell.engine)
        self._words = words

    def words(self, pattern: str) -> str:
        """Fill in what only this scene knows."""
        return pattern.format(**self._words)

    def seen(self) -> dict[str, object]:
        """Everything that an operation could have changed, as others than the bot see it."""
        inspect = self.here.site.app.control.inspect(timeout=2.0, limit=1)
        stats = next(iter((inspect.stats() or {}).values()))
        queues = next(iter((inspect.active_queues() or {}).values()))
        active = next(iter((inspect.active() or {}).values()))
        revoked = next(iter((inspect.revoked() or {}).values()))
        return {
            "slots": stats["pool"]["max-concurrency"],
            "processes": sorted(stats["pool"]["processes"]),
            "queues": sorted(queue["name"] for queue in queues),
            "active": sorted(task["id"] for task in active),
            "revoked": sorted(revoked),
        } | self._keys()

    def changed(self, before: dict[str, object]) -> dict[str, tuple[object, object]]:
        """Return what is not as it was."""
        now = self.seen()
        names = sorted({*before, *now})
        return {n: (before.get(n), now.get(n)) for n in names if before.get(n) != now.get(n)}

    def _keys(self) -> dict[str, object]:
        settings = self.here.site.settings
        urls = (
            settings.broker_url,
            settings.result_backend,
            settings.progress_url,
            settings.logs_url,
        )
        found: dict[str, object] = {}
        for url in dict.fromkeys(urls):
            alone = redis.Redis.from_url(url, single_connection_client=True)
            with contextlib.closing(alone) as client:
                client.client_no_touch("ON")  # a flush leaves what has just been looked at
                for key in client.scan_iter(count=1000):
                    if not any(one in key for one in _RESTLESS):
                        found[f"{url} {key!r}"] = client.dump(key)
        return found


@pytest.fixture(scope="module")
def scene(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two tasks run, five wait, one has failed, one queue is paused, an alert is open, and a queue was purged."""
    folder = tmp_path_factory.mktemp("scene")
    with redis_spaces.one() as space, place(space, folder) as here:
        failed, done = here.send("fail", "x"), here.send("add", 1, 2)
        here.site.row_in(failed, "FAILURE")
        here.site.row_in(done, "SUCCESS")
        here.site.row_in(here.send("tell", 1, 0.0), "SUCCESS")  # and leaves its progress behind
        for _ in range(2):
            here.site.row_in(here.send("sleep", 300), "STARTED")
        for _ in range(5):
            here.send("add", 1, 2)
        here.send("add", 1, 2, queue="other")
        purged = re.search(r"op-\d+", here.confirms(here.previews("purge --queue other")).text)
        here.asks("pause other")
        copy = _copied(here.site.settings.database_url, folder)
        settings = here.site.settings.model_copy(update={"database_url": copy})
        shell = open_deployment(settings, here.site.app)
        _prepare(shell.engine, done)
        (folder / "docs").mkdir()
        (folder / "docs" / "page.md").write_text("# A page")
        words = {
            "failed": failed,
            "folder": str(folder / "docs"),
            "purged": purged[0] if purged else "op-1",
            "interrupted": _broken_off(shell),
        }
        _let_rest(settings.progress_url)  # a flush leaves what has just been touched
        yield Scene(here, shell, words)
        shell.close()


def _let_rest(url: str) -> None:
    """Return when nobody has touched the progress that is there for some seconds."""
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        keys = list(client.scan_iter(match="progress:*"))

        def resting() -> bool:
            idle = [int(client.object("IDLETIME", key) or 0) for key in keys]
            return min(idle) > RESOLUTION.total_seconds()

        wait_until(resting, within=15, what="the progress rests")


def _copied(url: str, folder: Path) -> str:
    """Copy the database, so that the recorder goes on with its own."""
    path = folder / "copy.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as source,
        contextlib.closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
    return f"sqlite:///{path}"


def _prepare(engine: Engine, done: str) -> None:
    old = utc_now() - timedelta(days=10)
    opening = Opening(
        key="k", kind="queue-deep", subject="celery", severity="warning", title="A queue is long",
        sentence="It is long.", figures={}, actions=(),
    )  # fmt: skip
    with writing(engine) as connection:
        connection.execute(update(TASKS).where(TASKS.c.id == done).values(updated_at=old))
        open_alert(connection, opening, utc_now())
        set_running(connection, task_id="gone", source="docs", phase="fetching", started_at=old)


def _broken_off(shell: Deployment) -> str:
    """Confirm a clear, lose its process, and return the name of the run."""
    at = Shell(deployment=shell)
    run_id = at.claims(at.previews("clear --status success")).run_id
    long_ago = utc_now() - 2 * SILENT_AFTER
    lost = RUNS.c.number == number_of(run_id)
    with writing(shell.engine) as connection:
        connection.execute(update(RUNS).where(lost).values(beat_at=long_ago))
    Runner(shell).declare_interrupted()
    return run_id


def test_each_operation_that_changes_something_is_tried_here() -> None:
    for risk, tried in ((Risk.CHANGE, CHANGES), (Risk.DESTROY, DESTROYS)):
        names = {one.name for one in OPERATIONS if one.risk is risk}
        assert set(tried) == names, "every operation needs words in this table"


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_cannot_be_recorded_is_not_made(scene: Scene, name: str) -> None:
    before = scene.seen()
    with scene.brake.pulled(), pytest.raises(Away, match="database"):
        scene.shell.asks(scene.words(CHANGES[name]))
    assert scene.changed(before) == {}


@pytest.mark.parametrize("name", DESTROYS)
def test_a_confirmed_preview_that_cannot_be_recorded_destroys_nothing(
    scene: Scene, name: str
) -> None:
    pending = scene.shell.previews(scene.words(DESTROYS[name]))
    before = scene.seen()
    with scene.brake.pulled(), pytest.raises(Away, match="database"):
        scene.shell.confirms(pending)
    assert scene.changed(before) == {}
