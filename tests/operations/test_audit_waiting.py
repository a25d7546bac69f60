"""Entries that wait for the audit channel are told where people look."""

import contextlib
from datetime import timedelta

from sqlalchemy import update

from knowledge_base_agent.audit_outbox import backlog
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations.audit_waiting import waiting_finding, waiting_notes
from knowledge_base_agent.operations.doctor_findings import Finding, Verdict
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.settings import Settings
from tests.records.audit_tampering import happened


def found(deployment: Deployment) -> Finding:
    with reading(deployment.engine) as connection:
        waiting = backlog(connection)
    return waiting_finding(waiting, deployment.settings.audit_channel, utc_now())


def test_what_waits_is_told_once_it_waits_for_longer_than_posting_takes(sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, audit_channel="C1")
    with contextlib.closing(open_deployment(settings)) as deployment:
        assert found(deployment).verdict is Verdict.OK
        happened(deployment.engine, 3)
        assert (found(deployment).verdict, waiting_notes(deployment)) == (Verdict.OK, ())
        with writing(deployment.engine) as connection:
            connection.execute(update(AUDIT).values(at=utc_now() - timedelta(minutes=5)))
        late = found(deployment)
        assert late.verdict is Verdict.BAD
        assert late.found.startswith("3 entries wait since 20")
        assert "No entry is lost" in late.cure
        (note,) = waiting_notes(deployment)
        assert note.text.startswith("The audit channel: 3 entries wait since")


def test_without_a_channel_doctor_warns_and_stats_is_silent(sqlite_url: str) -> None:
    with contextlib.closing(open_deployment(Settings(database_url=sqlite_url))) as deployment:
        assert found(deployment).verdict is Verdict.WARNING
        assert "KB_AUDIT_CHANNEL" in found(deployment).cure
        assert waiting_notes(deployment) == ()
