"""Secrets come from the environment or from files, one of the two, and this process tells none of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.problems import Misconfigured
from knowledge_base_agent.redaction import hide_also, redact
from knowledge_base_agent.secret_settings import file_names
from knowledge_base_agent.settings import Settings, load_settings

FILES = [name for field in Settings.model_fields.values() for name in file_names(field)]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test hides is shown again after it."""
    yield
    hide_also()


def test_everything_that_may_hold_a_secret_can_come_from_a_file() -> None:
    assert {name.removesuffix("_FILE") for name in FILES} == {
        "CELERY_BROKER_URL",
        "CELERY_RESULT_BACKEND",
        "DATABASE_URL",
        "FLOWER_BASIC_AUTH",
        "KB_HISTORY_URL",
        "KB_MONITOR_AUTH",
        "REDIS_LOGS_URL",
        "REDIS_PROGRESS_URL",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
    }


@pytest.mark.parametrize("name", FILES)
def test_what_is_in_the_file_is_the_setting(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in FILES:
        monkeypatch.delenv(one.removesuffix("_FILE"), raising=False)
    path = tmp_path / "secret"
    path.write_text("redis://:wonderful@there/0\n")
    monkeypatch.setenv(name, str(path))
    told = load_settings()
    changed = [
        field
        for field in Settings.model_fields
        if getattr(told, field) != getattr(Settings.model_construct(), field)
    ]
    assert len(changed) == 1
    value = getattr(told, changed[0])
    shown = value if isinstance(value, str) else value.get_secret_value()
    assert shown == "redis://:wonderful@there/0"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "can't be read"), (b"", "nothing"), (b" \n", "nothing"), (b"\xff\xfe", "UTF-8"), (b"x" * 70_000, "64 kB")],
)  # fmt: skip
def test_a_file_that_does_not_hold_it_stops_the_start_with_what_to_do(
    content: bytes | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(path))
    with pytest.raises(Misconfigured, match=f"SLACK_BOT_TOKEN_FILE.*{said}.*Name a file"):
        load_settings()


def test_both_at_once_is_a_contradiction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "url"
    path.write_text("sqlite:///a")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///b")
    monkeypatch.setenv("DATABASE_URL_FILE", str(path))
    with pytest.raises(Misconfigured, match=r"Both DATABASE_URL and DATABASE_URL_FILE.*Unset one"):
        load_settings()


def test_this_process_hides_its_own_secrets_whatever_they_look_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "8f742231b10e8888abcd99")
    monkeypatch.setenv("DATABASE_URL", "postgresql://kb:correct%20horse@db/kb")
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://rabbitmq:rabbitmq@broker//")
    monkeypatch.setenv("FLOWER_BASIC_AUTH", "otto:wonderful")
    monkeypatch.setenv("KB_REDACT", "iban, tax_id")
    monkeypatch.setenv("KB_REDACT_PATTERNS", r"KD-\d+ \bACME\b")
    load_settings()
    said = redact(
        "8f742231b10e8888abcd99 correct%20horse correct horse wonderful iban=1 tax_id: 2 KD-77 ACME rabbitmq"
    )
    assert said == "••• ••• ••• ••• iban=••• tax_id: ••• ••• ••• rabbitmq"


def test_whoever_opens_a_deployment_hides_what_its_settings_hold(sqlite_url: str) -> None:
    settings = Settings(
        database_url=sqlite_url, slack_signing_secret=SecretStr("8f742231b10e8888abcd99")
    )
    open_deployment(settings).close()
    assert redact("signed with 8f742231b10e8888abcd99") == "signed with •••"


@pytest.mark.parametrize("pattern", ["(", ".*"])
def test_a_pattern_that_can_not_be_meant_stops_the_start(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_REDACT_PATTERNS", pattern)
    with pytest.raises(Misconfigured, match="KB_REDACT_PATTERNS"):
        load_settings()
