"""The whole system, as people have it: workers, recorder, the bot as its own process, and a Slack to type in."""

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from celery import Celery
from sqlalchemy import Engine, select

from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.records.road_tables import AUDIT
from tests.people import LocalSlack, local_slack
from tests.records.deployment import ROOT, Running, environment, running
from tests.seen import Json
from tests.servers import RedisSpace
from tests.waiting import wait_until

AUDIT_CHANNEL = "C0KBAUDIT"
PEOPLE = {
    "KB_OPERATORS": "S0ONCALL0",
    "KB_ADMINS": "U0ADA0000,U0ANIKA00",
    "KB_AUDIT_CHANNEL": AUDIT_CHANNEL,
    "KB_RATE_PER_MINUTE": "1000000",
}
_BOT_ENDS_WITHIN = 15


@dataclass(kw_only=True)
class System:
    """What a story is played on. Tasks are those of `history_app`."""

    site: Running
    slack_url: str
    log: Path
    environment: dict[str, str]
    bots: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def app(self) -> Celery:
        """The Celery app that is looked after."""
        return self.site.app

    @property
    def engine(self) -> Engine:
        """The database, for what a story wants to know that nobody shows."""
        return self.site.engine

    def send(self, name: str, *args: object, **options: object) -> str:
        """Publish a task and return its id."""
        return self.site.send(name, *args, **options)

    @contextlib.asynccontextmanager
    async def slack(self) -> AsyncIterator[LocalSlack]:
        """Lend the local Slack to one story."""
        async with local_slack(self.slack_url) as slack:
            await slack.app_connects(within=30)
            yield slack

    def start_bot(self, **more: str) -> subprocess.Popen[bytes]:
        """Start a bot process; await `slack.app_connects()` for it to listen."""
        with self.log.open("ab") as log:
            bot = subprocess.Popen(
                [sys.executable, "-m", "bot"],
                env=self.environment | more,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        self.bots.append(bot)
        return bot

    def stop_bot(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End every bot that runs."""
        while self.bots:
            bot = self.bots.pop()
            bot.send_signal(how)
            bot.wait(_BOT_ENDS_WITHIN)

    def audit(self, operation: str) -> list[str]:
        """Return the kinds of the audit entries about an operation, in order."""
        query = select(AUDIT.c.kind).where(AUDIT.c.operation == operation).order_by(AUDIT.c.id)
        with reading(self.engine) as connection:
            return list(connection.execute(query).scalars())


@contextlib.contextmanager
def system(
    space: RedisSpace, folder: Path, slack_url: str, tokens: dict[str, str]
) -> Iterator[System]:
    """Start everything but Slack, and end it."""
    url = f"sqlite:///{folder / 'kb.sqlite3'}"
    migrate(url)
    with running(space, url) as site:
        variables = environment(site.settings) | PEOPLE | tokens
        variables |= {
            "CELERY_APP": "tests.records.history_app",
            "SLACK_API_URL": f"{slack_url}/api/",
            "KB_DATA_DIR": str(folder),
        }
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            variables.pop(name, None)
        place = System(
            site=site, slack_url=slack_url, log=folder / "bot.log", environment=variables
        )
        try:
            place.start_bot()
            wait_until(
                lambda: state_of(slack_url)["connections"],
                within=30,
                what=f"the bot connects; see {place.log}",
            )
            yield place
        finally:
            place.stop_bot()


def state_of(slack_url: str) -> Json:
    """Return what a local Slack says of itself."""
    with urllib.request.urlopen(f"{slack_url}/control/state", timeout=5) as answer:
        state: Json = json.load(answer)
        return state


def tokens_of(slack_url: str) -> dict[str, str]:
    """Return the tokens of a local Slack, by the names of the bot's settings."""
    state = state_of(slack_url)
    return {"SLACK_BOT_TOKEN": state["bot_token"], "SLACK_APP_TOKEN": state["app_token"]}
