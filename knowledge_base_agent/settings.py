"""Every setting, its name in the environment and its default: the only reader of the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from knowledge_base_agent.problems import Misconfigured

Names = Annotated[tuple[str, ...], NoDecode]


def _env(name: str) -> AliasChoices:
    return AliasChoices(name.lower(), name)


class Settings(BaseSettings):
    """The settings of one deployment; each field's alias is the name of its environment variable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    celery_app: str = Field("knowledge_base_agent.celery_app", validation_alias=_env("CELERY_APP"))
    broker_url: str = Field("redis://127.0.0.1:6379/0", validation_alias=_env("CELERY_BROKER_URL"))
    result_backend: str = Field(
        "redis://127.0.0.1:6379/0", validation_alias=_env("CELERY_RESULT_BACKEND")
    )
    task_time_limit: int = Field(7200, ge=1, validation_alias=_env("CELERY_TASK_TIME_LIMIT"))
    """Seconds after which a pool that can do so kills a task."""
    prefetch_multiplier: int = Field(
        1, ge=0, validation_alias=_env("CELERY_WORKER_PREFETCH_MULTIPLIER")
    )
    progress_url: str = Field(
        "redis://127.0.0.1:6379/1", validation_alias=_env("REDIS_PROGRESS_URL")
    )
    logs_url: str = Field("redis://127.0.0.1:6379/2", validation_alias=_env("REDIS_LOGS_URL"))
    history_url_or_none: str | None = Field(None, validation_alias=_env("KB_HISTORY_URL"))
    history_cap: int = Field(1_000_000, ge=1_000, validation_alias=_env("KB_HISTORY_CAP"))
    """Entries that the history stream keeps while the recorder is away."""
    database_url: str = Field("sqlite:///var/kb.sqlite3", validation_alias=_env("DATABASE_URL"))

    data_dir: Path = Field(Path("var"), validation_alias=_env("KB_DATA_DIR"))
    fetch_timeout: float | None = Field(None, gt=0, validation_alias=_env("KB_FETCH_TIMEOUT"))
    """Seconds a whole fetch may take; None leaves it to the task's time limit."""
    log_level: str = Field("INFO", validation_alias=_env("KB_LOG_LEVEL"))
    log_keep_days: int = Field(7, ge=1, validation_alias=_env("KB_LOG_KEEP_DAYS"))

    viewers: Names = Field((), validation_alias=_env("KB_VIEWERS"))
    operators: Names = Field((), validation_alias=_env("KB_OPERATORS"))
    admins: Names = Field((), validation_alias=_env("KB_ADMINS"))
    audit_channel: str | None = Field(None, validation_alias=_env("KB_AUDIT_CHANNEL"))
    confirm_minutes: float = Field(10, gt=0, le=120, validation_alias=_env("KB_CONFIRM_MINUTES"))
    """Minutes for which a preview can be confirmed."""

    slack_bot_token: SecretStr | None = Field(None, validation_alias=_env("SLACK_BOT_TOKEN"))
    slack_app_token: SecretStr | None = Field(None, validation_alias=_env("SLACK_APP_TOKEN"))
    slack_signing_secret: SecretStr | None = Field(
        None, validation_alias=_env("SLACK_SIGNING_SECRET")
    )
    slack_api_url: str = Field("https://slack.com/api/", validation_alias=_env("SLACK_API_URL"))
    port: int = Field(3000, ge=0, le=65535, validation_alias=_env("PORT"))

    @field_validator("viewers", "operators", "admins", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @property
    def history_url(self) -> str:
        """The Redis that holds the history stream."""
        return self.history_url_or_none or self.progress_url

    @property
    def confirm_within(self) -> timedelta:
        """How long a preview can be confirmed."""
        return timedelta(minutes=self.confirm_minutes)

    @property
    def knowledge_base_dir(self) -> Path:
        """The folder of the browsable knowledge base."""
        return self.data_dir / "knowledge-base"


def load_settings() -> Settings:
    """Read the environment. Raises `Misconfigured` naming the variable and what it may be."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "a setting"
        raise Misconfigured(
            f"The environment variable {name} is not usable: {first['msg']}.",
            f"Set {name} to an allowed value (docs/settings.md lists them) and start again.",
        ) from error
