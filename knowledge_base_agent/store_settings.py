"""Where the deployment is: its app, its broker and its stores. Part of `settings.py`, which alone reads them."""

from typing import Annotated, Any

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, NoDecode

from knowledge_base_agent.secret_settings import FROM_FILE

Names = Annotated[tuple[str, ...], NoDecode]


def env(name: str, default: Any, meaning: str, **bounds: Any) -> Any:
    """Return a setting with its name in the environment, its default and what it means."""
    # Any: pydantic reads the annotation beside it, as with its own Field.
    aliases = AliasChoices(name.lower(), name)
    return Field(default, validation_alias=aliases, description=meaning, **bounds)


def secret(name: str, default: Any, meaning: str) -> Any:
    """Return a setting that may hold a secret: it can also be read from the file that NAME_FILE names."""
    return env(name, default, meaning, json_schema_extra=FROM_FILE)


class StoreSettings(BaseSettings):
    """The app looked after, its broker, and where what is known of it is kept."""

    celery_app: str = env(
        "CELERY_APP", "knowledge_base_agent.celery_app", "the Celery app looked after"
    )
    broker_url: str = secret("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0", "its broker")
    result_backend: str = secret(
        "CELERY_RESULT_BACKEND", "redis://127.0.0.1:6379/0", "where it keeps results"
    )
    task_time_limit: int = env(
        "CELERY_TASK_TIME_LIMIT", 7200, "seconds after which a pool that can kills a task", ge=1
    )
    prefetch_multiplier: int = env(
        "CELERY_WORKER_PREFETCH_MULTIPLIER", 1, "messages a worker takes in advance, a slot", ge=0
    )
    progress_url: str = secret(
        "REDIS_PROGRESS_URL", "redis://127.0.0.1:6379/1", "where running tasks tell their progress"
    )
    logs_url: str = secret(
        "REDIS_LOGS_URL", "redis://127.0.0.1:6379/2", "where the log lines of tasks are kept"
    )
    history_url_or_none: str | None = secret(
        "KB_HISTORY_URL", None, "the Redis of the history stream; else that of the progress"
    )
    history_cap: int = env(
        "KB_HISTORY_CAP", 1_000_000, "entries the stream keeps while the recorder is away", ge=1000
    )
    keep_messages: bool = env(
        "KB_KEEP_MESSAGES",
        True,
        "keep messages of up to 64 kB, arguments as they are, in the database, so that `retry` can send them again",
    )
    database_url: str = secret(
        "DATABASE_URL", "sqlite:///var/kb.sqlite3", "the SQL database: SQLite or PostgreSQL"
    )

    @property
    def history_url(self) -> str:
        """The Redis that holds the history stream."""
        return self.history_url_or_none or self.progress_url
