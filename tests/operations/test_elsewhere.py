"""The guide's words where the broker is RabbitMQ and the database PostgreSQL: they work, or say what can't be told."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from kombu import Connection

from knowledge_base_agent.problems import NotFound, Refused
from knowledge_base_agent.report import Table
from tests.operations.place import Place, facts, notes, place, row_of, table
from tests.operations.test_doctor import found
from tests.operations.test_flush import add_keys
from tests.operations.test_reset_agent import say_running
from tests.operations.test_task_card import says
from tests.servers import RedisSpaces, postgres_database, rabbitmq_vhost
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def there(
    redis_spaces: RedisSpaces, migrated_postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A tracked worker of two slots on RabbitMQ, and a recorder that writes to PostgreSQL."""
    with (
        redis_spaces.one() as space,
        rabbitmq_vhost() as broker,
        postgres_database(like=migrated_postgres) as url,
        place(
            replace(space, broker_url=broker), tmp_path_factory.mktemp("elsewhere"), url
        ) as found,
    ):
        yield found


def test_stats_counts_what_waits_and_calls_unknown_what_amqp_does_not_tell(there: Place) -> None:
    done = there.send("add", 1, 2)
    there.site.row_in(done, "SUCCESS")
    there.send("add", 1, 1, queue="left-behind")
    report = there.asks("stats")
    assert "1 worker answered, of an unknown number" in report.text
    assert table(report, "Queues")["celery"].cells[1:3] == (0, None), "unacked is unknown, not 0"
    assert "RabbitMQ does not tell unacknowledged messages" in notes(report)
    assert facts(report, "Rows by state")["SUCCESS"] == 1


def test_what_workers_hold_is_listed_and_a_filter_says_what_it_hides(there: Place) -> None:
    running = [there.send("tell", 3, 60.0) for _ in range(2)]
    waiting, later = there.send("sleep", 60), there.send("add", 1, 1, countdown=1800)
    for words, task in (("active", running[1]), ("reserved", waiting), ("scheduled", later)):
        wait_until(lambda w=words, t=task: t in str(there.asks(w)), what=f"{words} shows it")  # type: ignore[misc]
    assert row_of(there.asks("active"), running[0]).cells[3] == "celery"
    assert "2 more are hidden by the filter" in there.asks("active --queue other").text
    card = there.asks(f"task {running[0]}")
    assert "active on history-" in says(card)["the workers"]
    assert f"revoke {running[0]} --terminate" in [one.words for one in card.actions]
    assert "step 3" in str(there.asks(f"logs {running[0]}"))
    assert running[0] in str(there.asks("stuck --longer-than 0s"))


def test_a_purge_says_what_workers_hold_and_a_revoke_of_it_is_seen(there: Place) -> None:
    pending = (
        there.previews("purge --queue celery --reason test") if _waits(there, "celery") else None
    )
    assert pending is None, "the worker has taken all of it"
    held = there.asks("purge --queue celery")
    assert "4 already with workers: 2 running" in held.text
    ids = [one for words in ("active", "reserved", "scheduled") for one in _ids(there, words)]
    report = there.confirms(there.previews(f"revoke {' '.join(ids)} --terminate"))
    assert report.succeeded, report
    wait_until(lambda: not _ids(there, "active") and not _ids(there, "reserved"))
    for one in ids[:2]:
        there.site.row_in(one, "REVOKED")


def _waits(there: Place, queue: str) -> int:
    return int(table(there.asks("stats"), "Queues")[queue].cells[1] or 0)  # type: ignore[arg-type]


def _ids(there: Place, words: str) -> list[str]:
    parts = [part for part in there.asks(words).parts if isinstance(part, Table)]
    return [str(row.cells[-1]) for part in parts for row in part.rows]


def test_a_paused_queue_fills_up_is_purged_exactly_and_resumed(there: Place) -> None:
    paused = there.asks("pause celery")
    assert paused.succeeded, paused
    for _ in range(3):
        there.send("add", 1, 1)
    wait_until(lambda: _waits(there, "celery") == 3, what="three wait")
    assert "PAUSED: queue celery, by tester" in notes(there.asks("stats"))
    report = there.confirms(there.previews("purge --queue celery --reason test"))
    assert report.data["removed"] == {"celery": 3}
    kept = there.send("add", 2, 2)
    assert there.asks("resume celery").succeeded
    there.site.row_in(kept, "SUCCESS")


def test_a_misspelt_queue_is_refused_and_one_that_nobody_lists_is_found_by_its_name(
    there: Place,
) -> None:
    with pytest.raises(NotFound, match="Did you mean celery"):
        there.previews("purge --queue cellery")
    with Connection(there.deployment.settings.broker_url) as connection:
        connection.SimpleQueue("unheard-of").put("a message")
    # AMQP lists no queues: one that neither the settings nor a worker name is there for who asks for it.
    assert "unheard-of" not in table(there.asks("stats"), "Queues")
    preview = there.previews("purge --queue unheard-of --reason test")
    assert there.confirms(preview).data["removed"] == {"unheard-of": 1}
    with pytest.raises(NotFound, match="in the settings, with the workers, or in the broker"):
        there.previews("purge --queue never-there")


def test_failures_are_found_grouped_and_sent_again_from_their_messages(there: Place) -> None:
    failed = there.send("fail", "hunter2")
    there.site.row_in(failed, "FAILURE")
    assert "ValueError" in str(there.asks("failures"))
    assert failed in str(there.asks("find --state FAILURE"))
    again = there.confirms(there.previews(f"retry {failed}"))
    assert again.succeeded, again
    new = dict(again.data["retried"])[failed]  # type: ignore[call-overload]
    there.site.row_in(new, "FAILURE")


def test_workers_grow_are_limited_and_the_doctor_says_what_it_can_not_tell(there: Place) -> None:
    assert there.asks("workers grow 1").succeeded
    wait_until(lambda: next(iter(table(there.asks("workers"), "Workers").values())).cells[2] == 3)
    assert there.asks("workers rate-limit history.add 10/m").succeeded
    assert there.asks("workers rate-limit history.add none").succeeded
    wait_until(lambda: found(there.asks("doctor"), "Task events")[0] == "OK")
    report = there.asks("doctor")
    assert found(report, "Workers hear commands")[1].startswith("1 worker answered")
    assert found(report, "The broker answers")[0] == "OK"


def test_rows_keys_and_the_agents_state_are_cleared(there: Place) -> None:
    add_keys(there.deployment.settings.progress_url, "progress", 3)
    kept = there.asks("flush")
    assert "Who runs now is not certain" in notes(kept), "so what was touched just now stays"
    assert "every key touched in the last 1 h" in notes(kept)
    say_running(there, "gone-for-good")
    with pytest.raises(Refused, match="1 worker answered, of an unknown number"):
        there.previews("reset-agent")
    assert there.confirms(there.previews("reset-agent --force")).succeeded
    done = there.send("add", 3, 4)
    there.site.row_in(done, "SUCCESS")
    wait_until(lambda: done in str(there.asks("find --state SUCCESS --until 1s")))
    assert there.confirms(
        there.previews("clear --older-than 1s --status SUCCESS --reason test")
    ).succeeded
    assert there.site.row(done) is None
    assert there.asks("maintenance daily").succeeded


def test_the_last_a_shutdown_by_name_is_seen(there: Place) -> None:
    (name,) = table(there.asks("workers"), "Workers")
    report = there.confirms(there.previews(f"workers shutdown {name} --reason test"))
    assert report.data["ends"] == {name: "gone"}, report
