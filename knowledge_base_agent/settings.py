"""Every setting, its name in the environment and its default: the only reader of the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from knowledge_base_agent.problems import Misconfigured
from knowledge_base_agent.redaction import compilable, hide_also
from knowledge_base_agent.secret_settings import FROM_FILE, EnvironmentAndFiles, secret_values
from knowledge_base_agent.store_settings import Names, StoreSettings, env, secret

_HH_MM = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class Settings(StoreSettings):
    """The settings of one deployment; each field's alias is the name of its environment variable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    data_dir: Path = env("KB_DATA_DIR", Path("var"), "the folder of the knowledge base")
    fetch_timeout: float | None = env(
        "KB_FETCH_TIMEOUT", None, "seconds a whole fetch may take; else the task's time limit", gt=0
    )
    log_level: str = env("KB_LOG_LEVEL", "INFO", "how much the processes print")
    log_keep_days: int = env(
        "KB_LOG_KEEP_DAYS", 7, "days for which tasks' log lines are kept", ge=1
    )

    viewers: Names = env(
        "KB_VIEWERS",
        (),
        "who may look: ids of people and user groups, comma-separated; else every full member",
    )
    operators: Names = env("KB_OPERATORS", (), "who may change and destroy; else nobody")
    admins: Names = env(
        "KB_ADMINS", (), "who may do all that operators may, and what needs an admin"
    )
    raw_readers: Names = env(
        "KB_RAW_READERS",
        (),
        "who may see arguments and results as they are (`--arguments`), alone and recorded; else nobody",
    )
    redact: Names = env(
        "KB_REDACT", (), "more names whose values are hidden everywhere, comma-separated"
    )
    redact_patterns: Names = env(
        "KB_REDACT_PATTERNS",
        (),
        "regular expressions of what is hidden as well, separated by spaces",
    )
    audit_channel: str | None = env(
        "KB_AUDIT_CHANNEL", None, "the channel that is told who did what"
    )
    rate_per_minute: int = env(
        "KB_RATE_PER_MINUTE",
        60,
        "words, clicks and forms of one person in Slack; whoever is faster is told once, and not heard for a moment",
        ge=6,
    )
    confirm_minutes: float = env(
        "KB_CONFIRM_MINUTES", 10, "minutes for which a preview can be confirmed", gt=0, le=120
    )
    two_person_above: int = env(
        "KB_TWO_PERSON_ABOVE", 1000, "what destroys more things than this needs two people", ge=0
    )
    two_person_window: float = env(
        "KB_TWO_PERSON_WINDOW",
        10,
        "minutes for which what somebody destroyed alone counts with what they ask for next; 0 for none",
        ge=0,
        le=1440,
    )
    protected: Names = env(
        "KB_PROTECTED",
        (),
        "names of queues and tasks whose destruction always needs two people, comma-separated, with * and ?; "
        "`queue:` or `task:` before a name means only those",
    )
    break_glass_minutes: float = env(
        "KB_BREAK_GLASS_MINUTES",
        5,
        "minutes after which `--break-glass` lets somebody alone confirm what needs two people",
        ge=0,
        le=120,
    )

    undo_hours: float = env(
        "KB_UNDO_HOURS", 24, "hours for which `undo` can bring back what was removed", gt=0, le=720
    )

    alert_channel: str | None = env(
        "KB_ALERT_CHANNEL", None, "the channel that is told of troubles; else nobody is"
    )
    watch_seconds: float = env(
        "KB_WATCH_SECONDS", 15, "seconds between two checks of the watcher", gt=0, le=600
    )
    alert_running_seconds: float = env(
        "KB_ALERT_RUNNING_SECONDS", 14_400, "a task may run this long before it is told", gt=0
    )
    alert_past_limit_seconds: float = env(
        "KB_ALERT_PAST_LIMIT_SECONDS", 300, "and this long past its time limit", ge=0
    )
    alert_queue_pending: int = env(
        "KB_ALERT_QUEUE_PENDING", 10, "messages that may wait in a queue", ge=0
    )
    alert_worker_memory: float = env(
        "KB_ALERT_WORKER_MEMORY", 0.8, "share of its machine's or cgroup's memory", gt=0, le=1
    )
    alert_redis_bytes: int = env(
        "KB_ALERT_REDIS_BYTES", 1_000_000_000, "memory that a Redis may use", gt=0
    )
    alert_redis_share: float = env(
        "KB_ALERT_REDIS_SHARE", 0.8, "and which share of its maxmemory", gt=0, le=1
    )
    alert_redelivery_share: float = env(
        "KB_ALERT_REDELIVERY_SHARE", 0.8, "share of the visibility timeout unacked", gt=0, le=1
    )
    beat_expected: bool = env(
        "KB_BEAT_EXPECTED", False, "whether celery beat should run: its silence is told"
    )
    maintenance_daily: str | None = env(
        "KB_MAINTENANCE_DAILY", None, "when it runs each day: HH:MM in UTC", pattern=_HH_MM
    )
    maintenance_weekly: str | None = env(
        "KB_MAINTENANCE_WEEKLY", None, "when it runs on Mondays: HH:MM in UTC", pattern=_HH_MM
    )
    maintenance_monthly: str | None = env(
        "KB_MAINTENANCE_MONTHLY", None, "when it runs on the 1st: HH:MM in UTC", pattern=_HH_MM
    )
    maintenance_may_change: bool = env(
        "KB_MAINTENANCE_MAY_CHANGE", False, "whether it changes anything, or only reports"
    )

    slack_bot_token: SecretStr | None = secret("SLACK_BOT_TOKEN", None, "the bot's token, `xoxb-…`")
    slack_app_token: SecretStr | None = secret(
        "SLACK_APP_TOKEN", None, "the app's token, `xapp-…`: turns Socket Mode on"
    )
    slack_signing_secret: SecretStr | None = secret(
        "SLACK_SIGNING_SECRET", None, "checks Slack's requests where there is no Socket Mode"
    )
    slack_api_url: str = env("SLACK_API_URL", "https://slack.com/api/", "another Slack")
    port: int = env("PORT", 3000, "the bot's HTTP port", ge=0, le=65535)
    monitor_auth: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices(
            "flower_basic_auth", "FLOWER_BASIC_AUTH", "kb_monitor_auth", "KB_MONITOR_AUTH"
        ),
        json_schema_extra=FROM_FILE,
        description="who may see Flower's page, `user:password`; FLOWER_BASIC_AUTH does the same",
    )

    @field_validator(
        "viewers", "operators", "admins", "raw_readers", "redact", "protected", mode="before"
    )
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
    def confirm_within(self) -> timedelta:
        """How long a preview can be confirmed."""
        return timedelta(minutes=self.confirm_minutes)

    @property
    def undo_within(self) -> timedelta:
        """How long what was removed is kept aside."""
        return timedelta(hours=self.undo_hours)

    @property
    def two_person_within(self) -> timedelta:
        """For how long what somebody destroyed alone counts with what they ask for next."""
        return timedelta(minutes=self.two_person_window)

    @property
    def break_glass_after(self) -> timedelta:
        """How long somebody who breaks the glass has to wait."""
        return timedelta(minutes=self.break_glass_minutes)

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
