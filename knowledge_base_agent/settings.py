"""Every setting, its name in the environment and its default: the only reader of the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from knowledge_base_agent.problems import Misconfigured
from knowledge_base_agent.redaction import compilable, hide_also
from knowledge_base_agent.secret_settings import FROM_FILE, EnvironmentAndFiles, secret_values

Names = Annotated[tuple[str, ...], NoDecode]
_HH_MM = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _env(name: str, default: Any, meaning: str, **bounds: Any) -> Any:
    # Any: pydantic reads the annotation beside it, as with its own Field.
    aliases = AliasChoices(name.lower(), name)
    return Field(default, validation_alias=aliases, description=meaning, **bounds)


def _secret(name: str, default: Any, meaning: str) -> Any:
    """Return a setting that may hold a secret: it can also be read from the file that NAME_FILE names."""
    return _env(name, default, meaning, json_schema_extra=FROM_FILE)


class Settings(BaseSettings):
    """The settings of one deployment; each field's alias is the name of its environment variable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    celery_app: str = _env(
        "CELERY_APP", "knowledge_base_agent.celery_app", "the Celery app looked after"
    )
    broker_url: str = _secret("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0", "its broker")
    result_backend: str = _secret(
        "CELERY_RESULT_BACKEND", "redis://127.0.0.1:6379/0", "where it keeps results"
    )
    task_time_limit: int = _env(
        "CELERY_TASK_TIME_LIMIT", 7200, "seconds after which a pool that can kills a task", ge=1
    )
    prefetch_multiplier: int = _env(
        "CELERY_WORKER_PREFETCH_MULTIPLIER", 1, "messages a worker takes in advance, a slot", ge=0
    )
    progress_url: str = _secret(
        "REDIS_PROGRESS_URL", "redis://127.0.0.1:6379/1", "where running tasks tell their progress"
    )
    logs_url: str = _secret(
        "REDIS_LOGS_URL", "redis://127.0.0.1:6379/2", "where the log lines of tasks are kept"
    )
    history_url_or_none: str | None = _secret(
        "KB_HISTORY_URL", None, "the Redis of the history stream; else that of the progress"
    )
    history_cap: int = _env(
        "KB_HISTORY_CAP", 1_000_000, "entries the stream keeps while the recorder is away", ge=1000
    )
    keep_messages: bool = _env(
        "KB_KEEP_MESSAGES",
        True,
        "keep messages of up to 64 kB, arguments as they are, in the database, so that `retry` can send them again",
    )
    database_url: str = _secret(
        "DATABASE_URL", "sqlite:///var/kb.sqlite3", "the SQL database: SQLite or PostgreSQL"
    )

    data_dir: Path = _env("KB_DATA_DIR", Path("var"), "the folder of the knowledge base")
    fetch_timeout: float | None = _env(
        "KB_FETCH_TIMEOUT", None, "seconds a whole fetch may take; else the task's time limit", gt=0
    )
    log_level: str = _env("KB_LOG_LEVEL", "INFO", "how much the processes print")
    log_keep_days: int = _env(
        "KB_LOG_KEEP_DAYS", 7, "days for which tasks' log lines are kept", ge=1
    )

    viewers: Names = _env(
        "KB_VIEWERS",
        (),
        "who may look: ids of people and user groups, comma-separated; else every full member",
    )
    operators: Names = _env("KB_OPERATORS", (), "who may change and destroy; else nobody")
    admins: Names = _env(
        "KB_ADMINS", (), "who may do all that operators may, and what needs an admin"
    )
    raw_readers: Names = _env(
        "KB_RAW_READERS",
        (),
        "who may see arguments and results as they are (`--arguments`), alone and recorded; else nobody",
    )
    redact: Names = _env(
        "KB_REDACT", (), "more names whose values are hidden everywhere, comma-separated"
    )
    redact_patterns: Names = _env(
        "KB_REDACT_PATTERNS",
        (),
        "regular expressions of what is hidden as well, separated by spaces",
    )
    audit_channel: str | None = _env(
        "KB_AUDIT_CHANNEL", None, "the channel that is told who did what"
    )
    rate_per_minute: int = _env(
        "KB_RATE_PER_MINUTE",
        60,
        "words, clicks and forms of one person in Slack; whoever is faster is told once, and not heard for a moment",
        ge=6,
    )
    confirm_minutes: float = _env(
        "KB_CONFIRM_MINUTES", 10, "minutes for which a preview can be confirmed", gt=0, le=120
    )

    undo_hours: float = _env(
        "KB_UNDO_HOURS", 24, "hours for which `undo` can bring back what was removed", gt=0, le=720
    )

    alert_channel: str | None = _env(
        "KB_ALERT_CHANNEL", None, "the channel that is told of troubles; else nobody is"
    )
    watch_seconds: float = _env(
        "KB_WATCH_SECONDS", 15, "seconds between two checks of the watcher", gt=0, le=600
    )
    alert_running_seconds: float = _env(
        "KB_ALERT_RUNNING_SECONDS", 14_400, "a task may run this long before it is told", gt=0
    )
    alert_past_limit_seconds: float = _env(
        "KB_ALERT_PAST_LIMIT_SECONDS", 300, "and this long past its time limit", ge=0
    )
    alert_queue_pending: int = _env(
        "KB_ALERT_QUEUE_PENDING", 10, "messages that may wait in a queue", ge=0
    )
    alert_worker_memory: float = _env(
        "KB_ALERT_WORKER_MEMORY", 0.8, "share of its machine's or cgroup's memory", gt=0, le=1
    )
    alert_redis_bytes: int = _env(
        "KB_ALERT_REDIS_BYTES", 1_000_000_000, "memory that a Redis may use", gt=0
    )
    alert_redis_share: float = _env(
        "KB_ALERT_REDIS_SHARE", 0.8, "and which share of its maxmemory", gt=0, le=1
    )
    alert_redelivery_share: float = _env(
        "KB_ALERT_REDELIVERY_SHARE", 0.8, "share of the visibility timeout unacked", gt=0, le=1
    )
    beat_expected: bool = _env(
        "KB_BEAT_EXPECTED", False, "whether celery beat should run: its silence is told"
    )
    maintenance_daily: str | None = _env(
        "KB_MAINTENANCE_DAILY", None, "when it runs each day: HH:MM in UTC", pattern=_HH_MM
    )
    maintenance_weekly: str | None = _env(
        "KB_MAINTENANCE_WEEKLY", None, "when it runs on Mondays: HH:MM in UTC", pattern=_HH_MM
    )
    maintenance_monthly: str | None = _env(
        "KB_MAINTENANCE_MONTHLY", None, "when it runs on the 1st: HH:MM in UTC", pattern=_HH_MM
    )
    maintenance_may_change: bool = _env(
        "KB_MAINTENANCE_MAY_CHANGE", False, "whether it changes anything, or only reports"
    )

    slack_bot_token: SecretStr | None = _secret(
        "SLACK_BOT_TOKEN", None, "the bot's token, `xoxb-…`"
    )
    slack_app_token: SecretStr | None = _secret(
        "SLACK_APP_TOKEN", None, "the app's token, `xapp-…`: turns Socket Mode on"
    )
    slack_signing_secret: SecretStr | None = _secret(
        "SLACK_SIGNING_SECRET", None, "checks Slack's requests where there is no Socket Mode"
    )
    slack_api_url: str = _env("SLACK_API_URL", "https://slack.com/api/", "another Slack")
    port: int = _env("PORT", 3000, "the bot's HTTP port", ge=0, le=65535)
    monitor_auth: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices(
            "flower_basic_auth", "FLOWER_BASIC_AUTH", "kb_monitor_auth", "KB_MONITOR_AUTH"
        ),
        json_schema_extra=FROM_FILE,
        description="who may see Flower's page, `user:password`; FLOWER_BASIC_AUTH does the same",
    )

    @field_validator("viewers", "operators", "admins", "raw_readers", "redact", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("redact_patterns", mode="before")
    @classmethod
    def _split_patterns(cls, value: object) -> object:
        return compilable(value) if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: Any,
        **__: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is given in code, then the environment and the files that it names."""
        return init_settings, EnvironmentAndFiles(settings_cls)

    def hide_secrets(self) -> None:
        """Hide, in whatever this process tells from now on, what these settings hold and what they name."""
        hide_also(names=self.redact, patterns=self.redact_patterns, values=secret_values(self))

    @property
    def history_url(self) -> str:
        """The Redis that holds the history stream."""
        return self.history_url_or_none or self.progress_url

    @property
    def confirm_within(self) -> timedelta:
        """How long a preview can be confirmed."""
        return timedelta(minutes=self.confirm_minutes)

    @property
    def undo_within(self) -> timedelta:
        """How long what was removed is kept aside."""
        return timedelta(hours=self.undo_hours)

    @property
    def knowledge_base_dir(self) -> Path:
        """The folder of the browsable knowledge base."""
        return self.data_dir / "knowledge-base"


def load_settings() -> Settings:
    """Read the environment, and hide from now on what is secret in it.

    Raises `Misconfigured` naming the variable and what it may be.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "a setting"
        raise Misconfigured(
            f"The environment variable {name} is not usable: {first['msg']}.",
            f"Set {name} to an allowed value (docs/settings.md lists them) and start again.",
        ) from error
    settings.hide_secrets()
    return settings
