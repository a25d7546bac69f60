"""A process that sends tasks again is killed in the middle: whoever goes on with it sends nothing twice."""

import contextlib
import json
import signal
import subprocess
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import SILENT_AFTER
from tests.operations.crew import Crew, crew
from tests.operations.test_filters import remember
from tests.operations.test_retry import keep
from tests.records.deployment import ROOT, environment
from tests.servers import RedisSpace
from tests.waiting import wait_until

NUMBER, SENT_FIRST = 12, 4


@pytest.fixture
def here(redis_space: RedisSpace, database_url: str, tmp_path: Path) -> Iterator[Crew]:
    """A worker that knows the task and takes from another queue: what was sent stays where it can be counted."""
    with crew(redis_space, tmp_path, database_url) as opened:
        opened.hire("elsewhere", "-Q", "elsewhere")
        yield opened


def at_the_shell(here: Crew) -> dict[str, str]:
    """Return the environment of a process of that deployment."""
    settings = here.deployment.settings
    return environment(settings) | {
        "CELERY_APP": "tests.fleet.tiny_app",
        "TINY_BROKER": settings.broker_url,
        "TINY_RESULTS": settings.result_backend,
        "TINY_LEDGER": settings.progress_url,
    }


def sent(here: Crew) -> Counter[int]:
    """Return how often each task waits in the broker's queue, by its one argument."""
    with contextlib.closing(Redis.from_url(here.deployment.settings.broker_url)) as broker:
        messages = [json.loads(one) for one in broker.lrange("celery", 0, -1)]
    return Counter(json.loads(b64decode(one["body"]))[0][0] for one in messages)


def its_process_is_found_gone(here: Crew) -> None:
    with writing(here.deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
    (run,) = Runner(here.deployment).declare_interrupted()
    assert run.id == "op-1"


def test_what_a_killed_retry_has_sent_is_not_sent_again_by_whoever_goes_on(
    here: Crew,
) -> None:
    for number in range(NUMBER):
        remember(here.deployment.engine, f"lost-{number:02}", name="tiny.quick")
        keep(here.deployment.engine, f"lost-{number:02}", "tiny.quick", number)
    words = ["retry-tasks", "--id", "lost", "--rate", "5/s", "--yes"]
    with subprocess.Popen(
        [sys.executable, "celery_monitor.py", *words],
        cwd=ROOT,
        env=at_the_shell(here),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until(lambda: sent(here).total() >= SENT_FIRST, within=60, what="some were sent")
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    before = sent(here)
    assert SENT_FIRST <= before.total() < NUMBER, "it was killed in the middle"
    assert before.total() == len(before)

    its_process_is_found_gone(here)
    report = here.confirms(here.previews("ops resume op-1"))
    after = sent(here)
    assert after.total() == len(after), "nothing was sent twice"
    # The one that was linked and not yet sent may have been sent, as far as can be known: it is left to a person.
    missing = set(range(NUMBER)) - set(after)
    assert len(missing) <= 1
    assert after.total() == before.total() + len(report.data["retried"])  # type: ignore[arg-type]
