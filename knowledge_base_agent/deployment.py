"""Everything an operation may reach, wired in one place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from celery import Celery
from msgspec import Struct
from redis import Redis
from sqlalchemy import Engine

from knowledge_base_agent.audit_spool import Spool
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.redis_state import RedisClients
from knowledge_base_agent.fleet.shared import Shared
from knowledge_base_agent.fleet.sightings import Sightings
from knowledge_base_agent.problems import Misconfigured
from knowledge_base_agent.records.database import open_engine
from knowledge_base_agent.settings import Settings

if TYPE_CHECKING:
    from knowledge_base_agent.records.audit_verifying import PostedSeals
    from knowledge_base_agent.report import Report


class SlackScopes(Struct, frozen=True, kw_only=True):
    """What Slack lets our bot do (`x-oauth-scopes` of its answers), and what the bot uses."""

    granted: frozenset[str]
    wanted: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One Celery deployment and what is remembered of it. Nothing connects before it is used."""

    settings: Settings
    engine: Engine
    spool: Spool
    redis_clients: RedisClients = field(default_factory=RedisClients)
    sightings: Sightings = field(default_factory=Sightings)
    shared: "Shared[Report]" = field(default_factory=Shared)
    """Answers that are being read now, for all who ask for the same at once; each has been let in by themselves."""
    slack_scopes: Callable[[], SlackScopes | None] | None = None
    """Tells them in the bot's process, as far as Slack has told; None in every other process."""
    posted_seals: "Callable[[float], PostedSeals] | None" = None
    """Reads the audit channel back in the bot's process, within so many seconds or raising a `Problem`; else None."""
    _app: Celery | None = field(default=None)

    @cached_property
    def app(self) -> Celery:
        """The Celery app looked after: `CELERY_APP`. Raises `Misconfigured` when it can't be imported."""
        return self._app or load_app(self.settings.celery_app)

    @cached_property
    def fleet(self) -> Fleet:
        """The workers and the broker, behind deadlines."""
        return Fleet(
            self.app,
            progress_url=self.settings.progress_url,
            logs_url=self.settings.logs_url,
            sightings=self.sightings,
            clients=self.redis_clients,
        )

    @cached_property
    def progress_redis(self) -> Redis:
        """The Redis in which running tasks tell how far they are. Connects when first used."""
        return self.redis_clients.of(self.settings.progress_url)

    @cached_property
    def logs_redis(self) -> Redis:
        """The Redis that holds the tasks' log lines. Connects when first used."""
        return self.redis_clients.of(self.settings.logs_url)

    def close(self) -> bool:
        """Write what is still to be written, and let go of the connections; False if not all could be written."""
        written = self.spool.close()
        if "fleet" in vars(self):  # a property that was used: what never connected needs no closing
            self.fleet.close()
        self.redis_clients.close()
        self.engine.dispose()
        return written


def open_deployment(
    settings: Settings,
    app: Celery | None = None,
    *,
    slack_scopes: Callable[[], SlackScopes | None] | None = None,
    posted_seals: "Callable[[float], PostedSeals] | None" = None,
) -> Deployment:
    """Wire a deployment from settings; tests hand in an app of their own, the bot what Slack tells it."""
    settings.hide_secrets()
    engine = open_engine(settings.database_url)
    return Deployment(
        settings=settings,
        engine=engine,
        spool=Spool(engine),
        slack_scopes=slack_scopes,
        posted_seals=posted_seals,
        _app=app,
    )


def load_app(dotted: str) -> Celery:
    """Import a Celery app from `module` (its `app` or `celery`) or `module:name`, as `celery -A` does."""
    module_name, _, attribute = dotted.partition(":")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise Misconfigured(
            f"CELERY_APP names {dotted}, which can't be imported: {error}.",
            "Set it to the module of your Celery app, and start where that module can be found.",
        ) from error
    names = (attribute,) if attribute else ("app", "celery")
    for name in names:
        found = getattr(module, name, None)
        if isinstance(found, Celery):
            return found
    raise Misconfigured(
        f"CELERY_APP names {dotted}, and there is no Celery app in it.",
        "Write it as module:name, for example shop.worker:celery_app.",
    )
