"""Asking the agent to build a knowledge base: what the operation `run` and the shell do."""

from dataclasses import dataclass
from uuid import uuid4

from celery import Celery, states
from kombu.exceptions import OperationalError
from redis import RedisError

from knowledge_base_agent.agent.builds import Builds
from knowledge_base_agent.agent.library import open_library
from knowledge_base_agent.agent.settling import settle
from knowledge_base_agent.agent.sources import list_documents, understand_source
from knowledge_base_agent.fleet.line import open_connection
from knowledge_base_agent.problems import Away
from knowledge_base_agent.settings import Settings

RUN_AGENT = "knowledge_base_agent.agent.run_agent"
AGENT_QUEUE = "agent"
_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class StartedRun:
    """A run that was sent. `source` is an absolute path or a URL; `documents` is how many were in it just now."""

    task_id: str
    source: str
    documents: int


def start(app: Celery, settings: Settings, source: str) -> StartedRun:
    """Send `run_agent` for a source: a folder, a file, a bookmarks export, a list of URLs, or one URL.

    The source is looked at here, on the caller's machine, so that a person hears at once what is wrong with it; a path
    must lead to the same documents on the worker's machine, which looks again. Raises `Unreadable` (no such folder, not
    an http address, nothing to read in it), `Refused` while another run of the same source is under way, and `Away`
    when the broker or the catalogue does not answer.
    """
    understood = understand_source(source)
    documents = len(list_documents(understood))
    task_id = str(uuid4())
    with open_library(settings, deadline=_SECONDS) as library:
        _end_dead(app, library.builds, understood.name)
        library.builds.begin(task_id, understood.name)
        try:
            _send(app, task_id, understood.name)
        except (OperationalError, OSError) as error:
            library.builds.end(task_id)
            raise Away(
                f"The run could not be sent: the broker does not answer ({error}).",
                "Look at the broker that CELERY_BROKER_URL names, and try again.",
                source="broker",
            ) from error
    return StartedRun(task_id=task_id, source=understood.name, documents=documents)


def _send(app: Celery, task_id: str, source: str) -> None:
    # Not over the app's own pool: that one waits for a broker that is away longer than a person does.
    with open_connection(app) as connection:
        app.send_task(
            RUN_AGENT,
            args=(source,),
            task_id=task_id,
            queue=AGENT_QUEUE,
            connection=connection,
            retry=False,
        )


def _end_dead(app: Celery, builds: Builds, source: str) -> None:
    """End an earlier run of the source that will never end itself: revoked, killed, or without any document left."""
    for build in builds.under_way():
        if build.source == source:
            try:
                state = app.AsyncResult(build.id).state
                if state in {states.REVOKED, states.FAILURE} and settle(app, builds, build.id) == 0:
                    builds.end(build.id)
            except RedisError as error:
                raise Away(
                    f"The result backend does not answer ({error}), so it is unknown whether {source} is being read.",
                    "Look at the Redis that CELERY_RESULT_BACKEND names, and try again.",
                    source="results",
                ) from error
