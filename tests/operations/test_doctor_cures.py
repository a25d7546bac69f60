"""What the doctor advises is what helps: a paused queue is resumed, an open secret is closed and changed."""

from datetime import timedelta
from pathlib import Path

import pytest

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.fleet.connections import PROGRESS, Health, Reachable, Unreachable
from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.operations.doctor_readings import DatabaseReading, Readings
from knowledge_base_agent.operations.doctor_secrets import open_to_others
from knowledge_base_agent.operations.doctor_stores import recorder_finding
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.pauses import begin_pause
from knowledge_base_agent.records.recorder_state import RecorderState
from tests.operations.test_doctor import apart, examined, found  # noqa: F401  # a fixture

TOKEN = "SLACK_BOT_TOKEN_FILE"


def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, file: int, folder: int) -> Path:
    """Give the process a token in a file of these rights, in a folder of those."""
    inner = tmp_path / "secrets"
    inner.mkdir()
    path = inner / "token"
    path.write_text("xoxb-unlikely")
    path.chmod(file)
    inner.chmod(folder)
    above = tmp_path
    while above != above.parent:  # pytest's own folders are closed to others
        if above.stat().st_uid == path.stat().st_uid:
            above.chmod(above.stat().st_mode | 0o001)
        above = above.parent
    monkeypatch.setenv(TOKEN, str(path))
    return path


def test_a_paused_queue_is_to_be_resumed_and_not_purged(
    apart: Deployment,  # noqa: F811
) -> None:
    apart.app.send_task("history.add", (1, 2))
    with writing(apart.engine) as connection:
        begin_pause(connection, "celery", at=utc_now(), by="ann", until=None, workers=[])
    verdict, what, cure = found(examined(apart), "Each queue has a consumer")
    assert (verdict, what) == ("warning", "agent (0 waiting), celery (paused, 1 waiting)")
    assert cure.startswith("`resume celery` when its workers are to go on. For the others: start")


def test_a_secret_that_every_user_may_read_is_named_with_its_cure(
    apart: Deployment,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = secret(tmp_path, monkeypatch, file=0o644, folder=0o755)
    report = examined(apart)
    verdict, what, cure = found(report, f"Who may read {TOKEN}")
    assert (verdict, what) == ("warning", f"every user of this machine: {path}")
    assert f"chmod o-rwx {path}" in cure
    assert "change the secret" in cure
    path.chmod(0o640)
    verdict, what, _ = found(examined(apart), "Secrets' files")
    assert (verdict, what) == ("OK", "1 file that no other user can read")


def test_a_file_in_a_folder_that_others_do_not_get_through_is_closed_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = secret(tmp_path, monkeypatch, file=0o644, folder=0o750)
    assert not open_to_others(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert not open_to_others(link), "what the link leads to counts"
    path.parent.chmod(0o755)
    assert open_to_others(link)


@pytest.mark.parametrize("redis_answers", [True, False])
def test_a_recorder_is_not_to_be_started_where_the_redis_that_it_reads_is_away(
    redis_answers: bool,
) -> None:
    # At night a frozen Redis was taken for a recorder that has ended, and a second one was started.
    now = utc_now()
    health: Health = Reachable(latency=timedelta(0))
    if not redis_answers:
        health = Unreachable(reason="silent", since=now, last_seen=None)
    long_ago = now - timedelta(minutes=3)
    recorder = RecorderState(
        last_id="1-1", position=1, lag=0, last_event_at=None, updated_at=long_ago, holder="me"
    )
    database = DatabaseReading(latency=timedelta(0), revision="x", newest="x", recorder=recorder)
    none = Unknown(reason="not asked")
    read = Readings(
        taken_at=now, fleet=none, queues=none, settings={}, reports={},
        connections={PROGRESS: health}, redis=none, database=database,
    )  # fmt: skip
    finding = recorder_finding(read, database)
    assert ("recorder" in finding.cure) is redis_answers
    assert (
        "the progress store, which it reads, does not answer" in finding.found
    ) is not redis_answers
