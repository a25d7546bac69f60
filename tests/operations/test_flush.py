"""A flush removes the keys of tasks that are over: exact prefixes, running tasks spared, no broker harmed."""

import contextlib
from collections.abc import Iterator

import pytest
import redis

from knowledge_base_agent.problems import Refused
from knowledge_base_agent.records.stream import HISTORY_KEY
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.settings import Settings
from tests.operations.place import Place, Shell, notes, shell_on, table
from tests.servers import RedisSpace
from tests.waiting import wait_until


def add_keys(url: str, prefix: str, number: int, *, of: str = "over", idle: int = 60) -> None:
    """Leave keys that nobody has touched for so many seconds."""
    with contextlib.closing(redis.Redis.from_url(url)) as client, client.pipeline() as pipe:
        client.rpush("one", "line")
        line = client.dump("one") or b""
        client.unlink("one")
        for n in range(number):
            pipe.restore(f"{prefix}:{of}-{n}", 0, line, replace=True, idletime=idle)
        pipe.execute()


def keys(url: str) -> set[str]:
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        found = {key.decode() for key in client.scan_iter(count=1000)}
    return {key for key in found if not key.startswith("kb:undo:")}


@pytest.fixture
def alone(redis_space: RedisSpace, sqlite_url: str) -> Iterator[Shell]:
    """A shell where the broker is away: who runs is unknown."""
    settings = Settings(
        broker_url="redis://127.0.0.1:1/0",
        result_backend=redis_space.result_url,
        progress_url=redis_space.progress_url,
        logs_url=redis_space.logs_url,
        database_url=sqlite_url,
    )
    with shell_on(settings) as opened:
        yield opened


def test_finished_tasks_keys_go_and_a_running_tasks_keys_stay(here: Place) -> None:
    # `DEL progress:*` deletes nothing, since DEL does not glob (field notes).
    settings = here.deployment.settings
    running = here.send("tell", 3, 60)
    wait_until(lambda: f"logs:{running}" in keys(settings.logs_url), what="it has logged")
    add_keys(settings.progress_url, "progress", 3)
    add_keys(settings.logs_url, "logs", 2)
    add_keys(settings.progress_url, "cache", 1)
    preview = here.previews("flush")
    assert preview.affected == 5
    report = here.confirms(preview)
    assert report.text.startswith(
        "Removed 5 keys of progress and logs; 2 keys of tasks that workers"
    )
    assert {f"progress:{running}", HISTORY_KEY, "cache:over-0"} <= keys(settings.progress_url)
    assert not any("progress:over" in key for key in keys(settings.progress_url))
    assert keys(settings.logs_url) == {f"logs:{running}"}
    assert here.asks("flush").title == "Nothing to flush"
    everything = here.confirms(here.previews("flush --all --reason test"))
    assert everything.data["removed"] == {"the progress store": 1, "the log store": 1}
    assert HISTORY_KEY in keys(settings.progress_url), "the history is never flushed"
    here.confirms(here.previews(f"revoke {running} --terminate"))


def test_while_workers_cant_be_asked_what_was_touched_lately_stays(
    alone: Shell, redis_space: RedisSpace
) -> None:
    add_keys(redis_space.logs_url, "logs", 3)
    report = alone.asks("flush")
    assert report.title == "Nothing to flush"
    assert "Who runs now is not certain" in notes(report)
    assert "touched in the last 1 h" in notes(report)
    alone.confirms(alone.previews("flush --all --reason test"))
    assert keys(redis_space.logs_url) == set()


def test_many_keys_go_in_portions_with_progress(alone: Shell, redis_space: RedisSpace) -> None:
    add_keys(redis_space.progress_url, "progress", 3000)
    preview = alone.previews("flush --all --reason test")
    assert preview.affected == 3000
    (progress, _logs) = table(alone.confirms(preview), "What was removed").values()
    assert progress.cells[1] == 3000


@pytest.mark.parametrize(
    "intruder",
    ["_kombu.binding.celery.pidbox", "unacked", "celery-task-meta-1", "x:_kombu.binding.a"],
)
def test_a_database_with_keys_of_a_broker_or_of_results_is_refused(
    alone: Shell, redis_space: RedisSpace, intruder: str
) -> None:
    # FLUSHDB on the broker's database lost 6 of 11 tasks, and results and chords died (field notes).
    add_keys(redis_space.logs_url, "logs", 1)
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        client.set(intruder, "x")
    with pytest.raises(Refused, match="holds keys of a broker or of results"):
        alone.previews("flush --all --reason test")
    assert "logs:over-0" in keys(redis_space.logs_url)


def test_a_broker_that_moves_in_after_the_preview_is_refused_too(
    alone: Shell, redis_space: RedisSpace
) -> None:
    add_keys(redis_space.logs_url, "logs", 1)
    preview = alone.previews("flush --all --reason test")
    claimed = alone.claims(alone.previews("flush --all --reason test"))
    add_keys(redis_space.logs_url, "_kombu.binding.celery", 1)
    with pytest.raises(Refused, match=r"holds keys of a broker.* not run"):
        alone.claims(preview)
    assert not alone.executes(claimed).succeeded
    assert "logs:over-0" in keys(redis_space.logs_url)


@pytest.mark.parametrize("role", ["broker_url", "result_backend"])
def test_the_brokers_own_database_is_refused_however_it_is_written(
    role: str, redis_space: RedisSpace, sqlite_url: str
) -> None:
    urls = {"progress_url": redis_space.progress_url, "logs_url": redis_space.logs_url}
    same = redis_space.logs_url.replace("127.0.0.1", "localhost")
    settings = Settings.model_validate(urls | {role: same, "database_url": sqlite_url})
    with shell_on(settings) as shell, pytest.raises(Refused, match="is the database of"):
        shell.previews("flush")


def test_as_many_other_keys_are_not_what_was_shown(alone: Shell, redis_space: RedisSpace) -> None:
    add_keys(redis_space.logs_url, "logs", 30)
    pending = alone.previews("flush --all --reason test")
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        client.unlink(*(f"logs:over-{n}" for n in range(30)))
    add_keys(redis_space.logs_url, "logs", 30, of="other")
    changed = alone.finds_changed(pending)
    assert "30 keys in the log store, many of them others than the 30 that were" in changed.what
    assert len(keys(redis_space.logs_url)) == 30, "nothing was removed"
    assert isinstance(changed.now, Pending)
    assert alone.confirms(changed.now).data["removed"]["the log store"] == 30  # type: ignore[index]


def test_a_few_keys_that_came_instead_of_others_are_let_through(
    alone: Shell, redis_space: RedisSpace
) -> None:
    add_keys(redis_space.logs_url, "logs", 300)
    pending = alone.previews("flush --all --reason test")
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        client.unlink(*(f"logs:over-{n}" for n in range(5)))
    add_keys(redis_space.logs_url, "logs", 5, of="other")
    assert alone.confirms(pending).data["removed"]["the log store"] == 300  # type: ignore[index]
