"""Celery beat is missed where it is expected, and found again by the sign that its own process gives."""

import subprocess
import sys
from pathlib import Path

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.records.alerts import State
from knowledge_base_agent.watching.trouble import Kind
from knowledge_base_agent.watching.watcher import Watcher
from tests.records.deployment import ROOT, environment, settings_for
from tests.servers import RedisSpace
from tests.watching.test_watcher import watched_until


def test_a_beat_that_never_gave_a_sign_is_told_and_resolved_when_one_runs(
    redis_space: RedisSpace, sqlite_url: str, tmp_path: Path
) -> None:
    settings = settings_for(redis_space, sqlite_url, beat_expected=True)
    with make_app(settings) as app:
        deployment = open_deployment(settings, app)
        watcher = Watcher(deployment)
        watched_until(watcher, deployment, Kind.BEAT_SILENT, State.OPEN)
        line = "-m celery -A tests.records.history_app beat --schedule"
        beat = subprocess.Popen(
            [sys.executable, *line.split(), str(tmp_path / "schedule"), "--pidfile="],
            cwd=ROOT, env=environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            over = watched_until(watcher, deployment, Kind.BEAT_SILENT, State.RESOLVED)
        finally:
            beat.kill()
            beat.wait()
        deployment.close()
    assert over.outcome == "Beat gives its sign again."
