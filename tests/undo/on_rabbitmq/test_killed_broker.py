"""A broker that is killed while messages move loses none of them; some may be there twice, and that is said."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge_base_agent.report import Report
from tests.operations.crew import Crew, crew
from tests.servers import RedisSpace
from tests.undo.on_rabbitmq.lying import bodies, declare, numbered, publish, ready
from tests.undo.on_rabbitmq.mortal_broker import MortalBroker, mortal_broker
from tests.undo.on_rabbitmq.test_killed import PURGE
from tests.undo.test_killed_on_the_way import newest
from tests.undo.test_purged_messages import undo_of
from tests.waiting import wait_until

MANY = 4000


def killed_while(shell: Crew, words: str, broker: MortalBroker, when: Callable[[int], bool]) -> str:
    """Run this, kill the broker when so many are in the queue, start it again, and return which run it was."""
    claimed = shell.claims(shell.previews(words))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(shell.executes, claimed)
        wait_until(lambda: when(ready(broker.url, "celery") or 0), what="it is half-way")
        broker.kill()
        report: Report = running.result()
    assert not report.succeeded, report
    broker.start()
    return newest(shell)


@pytest.mark.timeout(400)
def test_a_broker_that_is_killed_on_the_way_loses_nothing_and_the_preview_says_what_may_be_double(
    redis_space: RedisSpace, tmp_path: Path
) -> None:
    (tmp_path / "broker").mkdir()
    with (
        mortal_broker(tmp_path / "broker") as broker,
        crew(replace(redis_space, broker_url=broker.url), tmp_path) as shell,
    ):
        declare(broker.url, "celery")
        publish(broker.url, "celery", numbered(MANY))
        before = set(bodies(broker.url, "celery"))

        purged = killed_while(shell, PURGE, broker, lambda ready: ready < MANY - 500)
        pending = shell.previews(f"undo {purged} --reason test")
        assert "the broker was restarted since" in str(pending.report.parts)
        assert shell.confirms(pending).succeeded
        assert set(bodies(broker.url, "celery")) == before

        undo_words = undo_of(shell.confirms(shell.previews(PURGE)))
        undo = f"{undo_words} --reason test --repeat"
        killed_while(shell, undo, broker, lambda ready: ready > 500)
        assert shell.confirms(shell.previews(undo)).succeeded
        assert set(bodies(broker.url, "celery")) == before
