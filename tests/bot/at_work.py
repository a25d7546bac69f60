"""A bot in the test's own process, at work in a local Slack."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import insert, select

from bot.app import Bot
from bot.audit_seals import ChannelSeals
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.records.tables import TASK_COUNTS, TASKS
from knowledge_base_agent.settings import Settings
from tests.people import LocalSlack

NOWHERE = "redis://127.0.0.1:1/0"
"""A broker that nobody runs."""


def settings_in(slack: LocalSlack, database_url: str, **more: object) -> Settings:
    """Return the settings of a bot in this Slack, with otto on call and nothing but a database."""
    values: dict[str, object] = {
        "slack_api_url": slack.api_url,
        "slack_bot_token": SecretStr(slack.bot_token),
        "slack_app_token": SecretStr(slack.app_token),
        "database_url": database_url,
        "broker_url": NOWHERE,
        "result_backend": NOWHERE,
        "progress_url": NOWHERE,
        "logs_url": NOWHERE,
        "operators": ("S0ONCALL0",),
        "rate_per_minute": 1_000_000,  # one person of a test does in a second what takes people an hour
    }
    return Settings.model_validate(values | more)


@contextlib.asynccontextmanager
async def bot_at_work(settings: Settings) -> AsyncIterator[Deployment]:
    """Run a bot with these settings; lends what it works on."""
    seals = ChannelSeals()
    deployment = open_deployment(settings, make_app(settings), posted_seals=seals)
    bot = Bot(settings, deployment, seals=seals)
    try:
        await bot.start()
        yield deployment
    finally:
        await bot.stop()
        deployment.close()


def recorded(deployment: Deployment) -> list[tuple[str, str, str, str]]:
    """Return the audit so far: kind, operation, whose id, detail. What was refused comes a moment later."""
    query = select(AUDIT.c.kind, AUDIT.c.operation, AUDIT.c.actor_id, AUDIT.c.detail)
    with reading(deployment.engine) as connection:
        rows = connection.execute(query.order_by(AUDIT.c.id)).all()
    return [(row.kind, row.operation, row.actor_id, row.detail) for row in rows]


def old_failures(deployment: Deployment, count: int = 1) -> None:
    """Put failed tasks of two days ago into the history."""
    at = utc_now() - timedelta(days=2)
    rows = [
        {
            "id": f"old-{n}",
            "name": "fetch",
            "state": "FAILURE",
            "attempt": 1,
            "retries": 0,
            "updated_at": at,
        }
        for n in range(count)
    ]
    with writing(deployment.engine) as connection:
        connection.execute(insert(TASKS), rows)
        connection.execute(insert(TASK_COUNTS).values(state="FAILURE", tasks=count))
