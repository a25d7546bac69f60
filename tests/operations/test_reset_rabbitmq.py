"""A complete reset where RabbitMQ is the broker: what it gives back after a worker's end is removed too."""

import contextlib
from pathlib import Path

from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.settings import Settings
from tests.fleet.running import Site
from tests.fleet.test_rabbitmq import NAME
from tests.fleet.test_rabbitmq import site as site
from tests.operations.place import table
from tests.operations.test_reset import Emergency
from tests.waiting import wait_until


def test_what_comes_back_when_the_worker_has_ended_is_removed_as_well(
    site: Site, sqlite_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        broker_url=site.broker_url,
        result_backend=site.result_url,
        progress_url=site.ledger_url,
        logs_url=site.ledger_url,
        database_url=sqlite_url,
        data_dir=tmp_path,
    )
    with contextlib.closing(open_deployment(settings, site.app())) as deployment:
        night = Emergency(deployment=deployment, site=site)
        site.start("rabbit@reset", TINY_OWN=NAME)
        site.await_workers(deployment.fleet, 1)
        night.send(0, 3, countdown=60)
        wait_until(lambda: night.held()[2] == 3, what="the ETA tasks are with the worker")
        report = night.confirms(night.previews("reset --complete"))
        assert report.succeeded, report
        steps = {str(row.cells[1]): str(row.cells[3]) for row in table(report, "Journal").values()}
        assert steps["purge again"].startswith("3 messages more removed")
        assert "3 tasks revoked" in steps["revoke"]
