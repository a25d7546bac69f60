"""The shell while the broker stands still: it answers as soon as its deadlines have passed, and names who is away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.answering import ANSWERED_SECONDS
from tests.records.deployment import ROOT
from tests.servers import valkey_server

_NAMED = "The broker did not answer in time"


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[dict[str, str]]:
    """The settings of a deployment whose broker is stopped in the middle of whatever it does."""
    with valkey_server() as broker, valkey_server() as stores:
        database = tmp_path_factory.mktemp("frozen") / "kb.sqlite3"
        database.write_bytes(migrated_file.read_bytes())
        given = {
            "DATABASE_URL": f"sqlite:///{database}",
            "CELERY_BROKER_URL": broker.url(0),
            "CELERY_RESULT_BACKEND": stores.url(1),
            "REDIS_PROGRESS_URL": stores.url(2),
            "REDIS_LOGS_URL": stores.url(3),
        }
        broker.process.send_signal(signal.SIGSTOP)
        yield os.environ | given
        broker.process.send_signal(signal.SIGCONT)


def typed(
    words: str, environment: dict[str, str]
) -> tuple[float, subprocess.CompletedProcess[str]]:
    began = time.monotonic()
    command = [sys.executable, "celery_monitor.py", *words.split()]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return time.monotonic() - began, done


@pytest.mark.parametrize(
    "words",
    [
        "stats",
        "stats --json",
        "active-tasks",
        "workers",
        "queued",
        "purge-queues --yes",
        "revoke-tasks some-task --yes",
    ],
)
def test_a_frozen_broker_is_named_and_holds_nobody_up_beyond_the_deadlines(
    environment: dict[str, str], words: str
) -> None:
    """What was known after two seconds was printed after seven: the end waited for a connection being opened."""
    to_start, _ = typed("help", environment)
    took, done = typed(words, environment)
    told = " ".join((done.stdout + done.stderr).split())
    assert _NAMED in told
    assert "The workers did not answer" not in told
    assert done.returncode == (0 if words.startswith("stats") else 1)
    assert took < to_start + ANSWERED_SECONDS
