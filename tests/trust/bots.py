"""A bot as a process of its own in a local Slack, whose Redis and database can be frozen while it works."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.proxy import Proxy, proxy_to
from tests.people import LocalSlack, local_slack
from tests.records.deployment import ROOT, environment
from tests.servers import RedisSpace, RedisSpaces, Valkey, valkey_server
from tests.stories.system import PEOPLE
from tests.trust.place import Place

WHO = ("vera", "otto", "ada", "anika")
"""Full members of the local Slack's workspace, who ask in turn."""
_ENDS_WITHIN = 30


@dataclass(kw_only=True)
class Workplace:
    """A bot at work, and what it works on."""

    slack: LocalSlack
    valkey: Valkey
    environment: dict[str, str]
    log: Path
    database: Proxy | None
    """Stands before PostgreSQL; None on SQLite, whose lock is held instead."""
    frozen: list[str] = field(default_factory=list)

    def freeze_redis(self) -> None:
        """Stop the Valkey process, as a machine does that swaps or hangs."""
        self.valkey.process.send_signal(signal.SIGSTOP)

    def thaw_redis(self) -> None:
        """Let it go on."""
        self.valkey.process.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def workplace(place: Place) -> AsyncIterator[Workplace]:
    """Start a Valkey of its own, a local Slack and a bot; on PostgreSQL, behind a proxy, where there is one."""
    with contextlib.ExitStack() as stack:
        valkey = stack.enter_context(valkey_server())
        stack.callback(valkey.process.send_signal, signal.SIGCONT)
        space = stack.enter_context(RedisSpaces(valkey).one())
        proxy = stack.enter_context(proxy_to(place.postgres_url)) if place.postgres_url else None
        url = proxy.url(place.postgres_url) if proxy and place.postgres_url else place.sqlite_url
        async with local_slack() as slack:
            variables = _environment(place, space, url, slack)
            found = Workplace(
                slack=slack,
                valkey=valkey,
                environment=variables,
                log=place.folder / "bot.log",
                database=proxy,
            )
            with started(found, "bot"):
                await slack.app_connects(within=60)
                yield found


def _environment(
    place: Place, space: RedisSpace, database_url: str, slack: LocalSlack
) -> dict[str, str]:
    settings = place.settings(
        database_url,
        broker_url=space.broker_url,
        result_backend=space.result_url,
        progress_url=space.progress_url,
        logs_url=space.logs_url,
    )
    variables = environment(settings) | PEOPLE
    variables |= {
        "CELERY_APP": "tests.records.history_app",
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "KB_DATA_DIR": str(place.folder),
        "KB_LOG_LEVEL": "ERROR",
    }
    # The servers are on this machine, and a proxy would be asked for them too.
    return {key: value for key, value in variables.items() if not key.lower().endswith("_proxy")}


@contextlib.contextmanager
def started(at: Workplace, *module: str) -> Iterator[None]:
    """Run a module of ours as a process of this workplace, and end it with whatever it started."""
    with at.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            env=at.environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
        process.terminate()
        process.wait(_ENDS_WITHIN)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
