"""`/metrics` tells the last reading; what is unknown is absent, never 0."""

from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from bot.metrics import Watched, _Figures
from knowledge_base_agent.fleet.deadline import Unknown
from tests.bot.at_work import bot_at_work, settings_in
from tests.people import local_slack
from tests.servers import free_port
from tests.watching.readings import ago, fleet, queue, queues, reading, rows, task, worker


def served(watched: Watched) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(_Figures(lambda: watched))
    lines = generate_latest(registry).decode().splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in lines
        if not line.startswith("#")
    }


def test_a_reading_is_told_with_its_age() -> None:
    busy = worker("w1", task(runs=timedelta(minutes=1)), memory_used=5)
    seen = reading(
        fleet=fleet(busy, receivers=2, silent=("w2",)),
        queues=queues(queue(3), queue(None, name="agent")),
        rows=rows(lag=7, by_state={"SUCCESS": 12}),
    )
    found = served(Watched(watching=True, reading=seen, open_alerts=2))
    expected = {
        "kb_watching": 1, "kb_alerts_open": 2, 'kb_task_rows{state="SUCCESS"}': 12, "kb_workers_answered": 1,
        "kb_workers_silent": 1, 'kb_worker_busy_slots{worker="w1"}': 1, 'kb_queue_ready{queue="celery"}': 3,
        "kb_recorder_lag_entries": 7, 'kb_redis_memory_bytes{redis="broker, results"}': 100_000_000,
        'kb_worker_memory_bytes{worker="w1"}': 5,
    }  # fmt: skip
    assert expected.items() <= found.items()
    assert "kb_reading_age_seconds" in found
    assert 'kb_queue_ready{queue="agent"}' not in found, "an unknown depth is not 0"


def test_each_figure_that_an_alert_goes_by_is_told() -> None:
    busy = worker("w1", task(runs=timedelta(hours=5)), memory_used=81, memory_allowed=100)
    waiting = queues(queue(1, consumers=0), unacked_for=timedelta(minutes=50))
    found = served(
        Watched(
            watching=True, reading=reading(fleet=fleet(busy), queues=waiting, beat=ago(hours=1))
        )
    )
    expected = {
        'kb_worker_task_seconds{worker="w1"}': 5 * 3600, 'kb_worker_memory_allowed_bytes{worker="w1"}': 100,
        'kb_queue_consumers{queue="celery"}': 0, "kb_unacked_oldest_seconds": 3000,
        "kb_visibility_timeout_seconds": 3600, "kb_beat_age_seconds": 3600,
        'kb_redis_evicted_keys{redis="broker, results"}': 0,
    }  # fmt: skip
    assert expected.items() <= found.items()
    assert 'kb_worker_task_seconds{worker="w2"}' not in served(
        Watched(watching=True, reading=reading(fleet=fleet(worker("w2"))))
    )


def test_what_does_not_answer_has_no_figures() -> None:
    away = Unknown(reason="It does not answer.")
    seen = reading(fleet=away, queues=away, rows=away, redis={"broker": away})
    found = served(Watched(watching=True, reading=seen, open_alerts=1))
    assert set(found) == {"kb_watching", "kb_alerts_open", "kb_reading_age_seconds"}


def test_a_bot_that_does_not_watch_says_so() -> None:
    assert served(Watched()) == {"kb_watching": 0}


async def test_they_are_served_beside_the_health(sqlite_url: str) -> None:
    port = free_port()
    async with (
        local_slack() as slack,
        bot_at_work(settings_in(slack, sqlite_url, port=port)),
        slack.session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert "kb_watching 0.0" in await answer.text()
