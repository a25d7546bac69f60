"""The shell loads nothing heavy that the word at hand does not need: every word starts a new process."""

import subprocess
import sys

from knowledge_base_agent.operations import LISTED
from tests.records.deployment import ROOT, environment, settings_for
from tests.servers import RedisSpace

HEAVY = frozenset({
    "aiohttp", "alembic", "bot", "celery.worker.control", "charset_normalizer", "flower",
    "knowledge_base_agent.agent.tasks", "knowledge_base_agent.cli.exporting", "knowledge_base_agent.cli.following",
    "knowledge_base_agent.fleet.amqp_asides", "knowledge_base_agent.fleet.revoking",
    "knowledge_base_agent.fleet.worker_answers", "knowledge_base_agent.watching", "local_slack", "lxml",
    "markdown_it", "prometheus_client", "psycopg", "pygments", "pypdf", "redis.asyncio.client", "rich._emoji_codes",
    "rich.traceback", "slack_bolt", "slack_sdk", "slackblocks", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm",
    "structlog", "tornado", "trafilatura", "yaml.loader",
})  # fmt: skip
HEAVIER_THAN_HELP = HEAVY | {
    "celery", "kombu", "knowledge_base_agent.operations", "msgspec", "pydantic", "redis", "rich", "sqlalchemy",
}  # fmt: skip
OTHERS = {f"knowledge_base_agent.operations.{one.module}" for one in LISTED} - {
    "knowledge_base_agent.operations.stats"
}
_WORD = """
import sys
from knowledge_base_agent.cli.front import main
code = main(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def said_and_loaded(word: str, space: RedisSpace, database_url: str) -> tuple[str, set[str]]:
    """Return what a word prints, and the modules that its process has loaded at the end."""
    said = subprocess.run(
        [sys.executable, "-c", _WORD, word],
        cwd=ROOT,
        env=environment(settings_for(space, database_url)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return said.stdout, set(said.stderr.splitlines()[-1].split())


def test_help_loads_nothing_but_the_text_that_it_prints(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    said, loaded = said_and_loaded("--help", redis_space, sqlite_url)
    assert said.startswith("usage: python celery_monitor.py")
    assert sorted(loaded & HEAVIER_THAN_HELP) == []


def test_stats_on_sqlite_and_redis_loads_nothing_heavy(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    said, loaded = said_and_loaded("stats", redis_space, sqlite_url)
    assert said.startswith("! Stats")
    assert {"celery", "sqlalchemy.dialects.sqlite", "redis"} <= loaded
    assert sorted(loaded & HEAVY) == []


def test_a_word_loads_no_other_operation_than_its_own(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    _, loaded = said_and_loaded("stats", redis_space, sqlite_url)
    assert "knowledge_base_agent.operations.stats" in loaded
    assert sorted(loaded & OTHERS) == []


SLOW_TO_DECLARE = {
    "AgentState", "Asked", "Confirmation", "Confirming", "Deployment", "Entry", "Head", "Held", "Hiding", "Keepsake",
    "KeptMessage", "Listed", "LogLine", "Pause", "Progress", "RedisBroker", "TaskFilter", "TaskPause", "TaskRecord",
}  # fmt: skip
"""Those that may be dataclasses: pydantic, `fields`, `vars`, a `cached_property` or a change in place wants most."""
_DATACLASSES = """
import sys
from knowledge_base_agent.cli.front import main
main(["stats"])
ours = [module for name, module in sys.modules.items() if name.startswith("knowledge_base_agent")]
values = {value for module in ours for value in vars(module).values() if isinstance(value, type)}
found = {
    one.__name__ for one in values
    if "__dataclass_fields__" in vars(one) and one.__module__.startswith("knowledge_base_agent")
}
print(*sorted(found), file=sys.stderr)
"""


def test_stats_declares_its_values_without_compiling_the_methods_of_each(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _DATACLASSES],
        cwd=ROOT,
        env=environment(settings_for(redis_space, sqlite_url)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    public = {one for one in said.stderr.split() if not one.startswith("_")}
    assert sorted(public - SLOW_TO_DECLARE) == []


_WORKER = """
import sys
from celery import Celery
import knowledge_base_agent.fleet.worker_commands
assert "celery.worker.control" not in sys.modules, "a client has loaded what runs inside a worker"
app = Celery("its_own", broker="memory://")
app.WorkController(app=app, pool_cls="solo", hostname="one@here", loglevel="ERROR")
from celery.worker.control import Panel
print("kb_look" in Panel.data)
"""


def test_a_worker_that_is_made_in_a_program_of_its_own_knows_our_commands() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", before + _WORKER],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for before in ("", "import knowledge_base_agent.settings\n")
    ]
    assert [(one.stdout.strip(), one.stderr[-2000:]) for one in told] == [("True", "")] * 2
