"""The doctor names what would mislead an engineer at night, and says the cure beside it."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import delete, text

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.deployment import Deployment, SlackScopes, open_deployment
from knowledge_base_agent.operations.doctor import DOCTOR
from knowledge_base_agent.operations.doctor_findings import Verdict
from knowledge_base_agent.operations.doctor_readings import Readings, read_all
from knowledge_base_agent.operations.doctor_workers import worker_findings
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import AUDIT_HEAD
from knowledge_base_agent.report import Report, Tone
from knowledge_base_agent.settings import Settings
from tests.closing import closed_app
from tests.operations.place import Place, shell_on
from tests.records.audit_tampering import happened
from tests.records.deployment import ROOT, settings_for
from tests.servers import RedisSpace
from tests.waiting import wait_until

DUE_SECONDS = 3.0
AUDIT_DOC = ROOT / "docs" / "audit.md"


def found(report: Report, check: str) -> tuple[str, str, str]:
    """Return what was found for a check: verdict, what, cure."""
    rows = {row.cells[1]: row.cells for part in report.parts for row in part.rows}  # type: ignore[union-attr]
    assert check in rows, f"no {check!r} among {sorted(map(str, rows))}"
    verdict, _, what, cure = rows[check]
    return str(verdict), str(what), str(cure)


def examined(deployment: Deployment) -> Report:
    assert DOCTOR.answer is not None
    began = time.monotonic()
    report = DOCTOR.answer(deployment, DOCTOR.arguments(), lambda done, total, note="": None)
    assert time.monotonic() - began < DUE_SECONDS
    return report


def test_a_sound_deployment_has_nothing_bad_and_the_unknown_is_said(here: Place) -> None:
    wait_until(lambda: here.asks("doctor").tone is not Tone.BAD, what="the recorder has begun")
    report = here.asks("doctor")
    assert found(report, "Workers hear commands")[:2] == ("OK", "1 of 1 worker answered")
    assert found(report, "Task events")[0] == "OK"
    assert found(report, "Start of tasks is told")[0] == "OK"
    assert found(report, "Time limit against redelivery")[0] == "OK"
    assert found(report, "Clocks agree")[0] == "OK"
    assert found(report, "Messages taken in advance")[0] == "OK"
    assert found(report, "Pools that can stop a task")[0] == "OK"
    assert "in 1 worker" in found(report, "Versions")[1]
    assert found(report, "The broker answers")[1].startswith("in ")
    verdict, _, cure = found(report, "Revokes outlive a restart")
    assert verdict == "unknown"
    assert "--statedb" in cure
    verdict, _, cure = found(report, "Slack's scopes")
    assert (verdict, cure) == ("unknown", "Ask `/kb doctor` in Slack.")


def test_with_everything_away_it_answers_in_time_and_says_which(tmp_path: Path) -> None:
    settings = Settings(
        broker_url="redis://127.0.0.1:1/0",
        result_backend="redis://127.0.0.1:1/1",
        database_url=f"sqlite:///{tmp_path}/none.sqlite3",
    )
    with shell_on(settings) as shell:
        report = examined(shell.deployment)
    assert found(report, "The broker answers")[0] == "bad"
    assert found(report, "Workers hear commands")[0] == "unknown"
    verdict, what, _ = found(report, "The database answers")
    assert verdict == "bad"
    assert "There is no database at" in what
    assert "migrate" in what
    assert report.tone.value == "bad"


def test_a_database_file_that_was_moved_away_is_named(tmp_path: Path, sqlite_url: str) -> None:
    nowhere = {"broker_url": "redis://127.0.0.1:1/0", "result_backend": "redis://127.0.0.1:1/1"}
    settings = Settings.model_validate({**nowhere, "database_url": sqlite_url})
    with shell_on(settings) as shell:
        assert found(examined(shell.deployment), "The database answers")[0] == "OK"
        (tmp_path / "kb.sqlite3").rename(tmp_path / "elsewhere")
        verdict, what, _ = found(examined(shell.deployment), "The database answers")
        assert verdict == "bad"
        assert "is gone or was replaced. Stop the bot, put it back, start it again." in what
        with pytest.raises(Away, match="is gone or was replaced"):
            shell.asks("pause celery")


@pytest.fixture
def apart(redis_space: RedisSpace, sqlite_url: str) -> Iterator[Deployment]:
    """A deployment without workers, recorder or anyone else."""
    settings = settings_for(redis_space, sqlite_url)
    with closed_app(make_app(settings)) as app:
        deployment = open_deployment(settings, app)
        yield deployment
        deployment.close()


def test_an_audit_that_nothing_can_be_written_to_is_named_with_the_statement_that_cures_it(
    apart: Deployment,
) -> None:
    happened(apart.engine, 3)
    assert found(examined(apart), "The audit can be written")[0] == "OK"
    with writing(apart.engine) as connection:
        connection.execute(delete(AUDIT_HEAD))
    verdict, what, cure = found(examined(apart), "The audit can be written")
    assert (verdict, "the only one of audit_head" in what) == ("bad", True)
    statement = cure.partition("then run: ")[2]
    assert statement in " ".join(AUDIT_DOC.read_text(encoding="utf-8").split())
    with writing(apart.engine) as connection:
        connection.execute(text(statement))
    assert found(examined(apart), "The audit can be written")[0] == "OK"
    happened(apart.engine, 1)


def test_no_worker_no_recorder_and_a_queue_that_nobody_consumes(
    apart: Deployment, redis_space: RedisSpace
) -> None:
    apart.app.send_task("history.add", (1, 2))
    report = examined(apart)
    assert found(report, "Workers hear commands")[:2] == ("bad", "no worker is listening")
    assert "none has ever run" in found(report, "The recorder writes")[1]
    verdict, what, _ = found(report, "Each queue has a consumer")
    assert verdict == "bad"
    assert "celery (1 waiting)" in what


def test_a_time_limit_near_the_visibility_timeout_is_a_warning(apart: Deployment) -> None:
    # With a timeout shorter than the task, acks_late ran 3 times, ETA 3, prefetched 2 (field notes).
    apart.app.conf.broker_transport_options = {"visibility_timeout": 3600}
    verdict, what, cure = found(examined(apart), "Time limit against redelivery")
    assert (verdict, what) == (
        "warning",
        "limit 2 h, redelivered after 1 h: a long task may run twice",
    )
    assert "visibility_timeout" in cure


def test_a_redis_without_channel_rights_is_named_with_its_cure(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    # Tasks publish, and control raises (field notes).
    with contextlib.closing(redis.Redis.from_url(redis_space.broker_url)) as client:
        admin: Any = client
        admin.execute_command("ACL", "SETUSER", "mute", "on", ">pw", "~*", "+@all", "resetchannels")
        url = redis_space.broker_url.replace("://", "://mute:pw@")
        try:
            settings = settings_for(redis_space, sqlite_url, broker_url=url)
            with shell_on(settings) as shell:
                verdict, _, cure = found(examined(shell.deployment), "Workers hear commands")
        finally:
            admin.execute_command("ACL", "DELUSER", "mute")
    assert verdict == "bad"
    assert "&*" in cure


def test_slack_scopes_that_are_missing_are_named_in_the_bot(apart: Deployment) -> None:
    scopes = SlackScopes(
        granted=frozenset({"commands"}), wanted=frozenset({"commands", "users:read"})
    )
    bot = replace(apart, slack_scopes=lambda: scopes)
    verdict, what, _ = found(examined(bot), "Slack's scopes")
    assert (verdict, what) == ("bad", "not granted: users:read")


def judged(read: Readings, check: str) -> tuple[Verdict, str]:
    return next((one.verdict, one.found) for one in worker_findings(read) if one.check == check)


def test_settings_of_workers_that_mislead_are_each_named(here: Place) -> None:
    read = read_all(here.deployment)
    (name,) = read.settings
    quiet = replace(read, settings={name: {"worker_state_db": "/var/lib/w.db"}})
    assert judged(quiet, "Task events") == (Verdict.WARNING, f"off on {name}")
    assert judged(quiet, "Start of tasks is told")[0] is Verdict.WARNING
    assert judged(quiet, "Revokes outlive a restart")[0] is Verdict.OK
    older = {name: "software -> celery:5.2.0 (x) kombu:5.2.0 py:3.8.0"}
    assert judged(replace(read, reports=older), "Versions")[0] is Verdict.WARNING
    assert judged(replace(read, settings={}), "Task events")[0] is Verdict.UNKNOWN
