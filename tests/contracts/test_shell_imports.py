"""The shell loads nothing heavy that the word at hand does not need: every word starts a new process."""

import subprocess
import sys

from tests.records.deployment import ROOT, environment, settings_for
from tests.servers import RedisSpace

HEAVY = (
    "aiohttp", "alembic", "bot", "charset_normalizer", "flower", "local_slack", "lxml", "markdown_it",
    "prometheus_client", "psycopg", "pypdf", "slack_bolt", "slack_sdk", "slackblocks", "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm", "tornado", "trafilatura",
)  # fmt: skip
_STATS = """
import sys
from knowledge_base_agent.cli.front import main
code = main(["stats"])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def test_stats_on_sqlite_and_redis_loads_nothing_heavy(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _STATS],
        cwd=ROOT,
        env=environment(settings_for(redis_space, sqlite_url)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.stdout.startswith("! Stats")
    loaded = set(said.stderr.splitlines()[-1].split())
    assert {"celery", "sqlalchemy.dialects.sqlite", "redis"} <= loaded
    assert sorted(loaded.intersection(HEAVY)) == []
