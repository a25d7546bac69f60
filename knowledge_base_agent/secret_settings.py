"""Settings that hold secrets: read from the environment or from a file, and never told by this process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from knowledge_base_agent.problems import Misconfigured

FROM_FILE: dict[str, Any] = {"secret": True}
"""Marks a setting that may be given as the path of a file, in NAME_FILE, as orchestrators mount secrets."""
_SUFFIX = "_FILE"
_LIMIT = 64 * 1024


def file_names(field: FieldInfo) -> tuple[str, ...]:
    """Return the variables that may name a file with this setting; none where it holds no secret."""
    choices = field.validation_alias
    if field.json_schema_extra != FROM_FILE or not isinstance(choices, AliasChoices):
        return ()
    return tuple(f"{name}{_SUFFIX}" for name in map(str, choices.choices) if name.isupper())


class EnvironmentAndFiles(EnvSettingsSource):
    """The environment; a secret's NAME_FILE stands for what is in that file. Raises `Misconfigured`."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        told = dict(self.env_vars)
        for field in settings_cls.model_fields.values():
            for name in file_names(field):
                _put(told, name)
        self.env_vars = told


def secret_files(settings_cls: type[BaseSettings]) -> dict[str, Path]:
    """Return the files that the environment names secrets in, by the variable's name."""
    told = EnvSettingsSource(settings_cls).env_vars
    names = [name for field in settings_cls.model_fields.values() for name in file_names(field)]
    return {name: Path(path) for name in names if (path := told.get(name.lower()))}


def _put(told: dict[str, str | None], name: str) -> None:
    path = told.get(name.lower())
    if not path:
        return
    variable = name.removesuffix(_SUFFIX)
    if told.get(variable.lower()):
        raise Misconfigured(
            f"Both {variable} and {name} are set, and they may differ.", "Unset one of them."
        )
    told[variable.lower()] = _content(name, Path(path))


def _content(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise Misconfigured(
            f"{name} names {path}, which can't be read: {why}.",
            "Name a file that this user may read, with the value and nothing else in it.",
        ) from error
    if not content or len(content) > _LIMIT:
        amount = "nothing" if not content else "more than 64 kB"
        raise Misconfigured(
            f"{name} names {path}, and there is {amount} in it.",
            "Name a file with the value and nothing else in it.",
        )
    return content


def secret_values(settings: BaseModel) -> tuple[str, ...]:
    """Return the secrets that these settings hold: tokens as they are, and of URLs their passwords."""
    fields: Mapping[str, FieldInfo] = type(settings).model_fields
    secret = [name for name, field in fields.items() if field.json_schema_extra == FROM_FILE]
    return tuple(found for name in secret for found in _secrets_in(getattr(settings, name)))


def _secrets_in(value: Any) -> tuple[str, ...]:
    if isinstance(value, SecretStr):
        whole = value.get_secret_value().strip()
        return (whole, whole.partition(":")[2])  # of `user:password` the password alone, too
    try:
        parts = urlsplit(value or "")
        user, password = parts.username or "", parts.password or ""
    except ValueError:  # no URL: whoever connects by it says so
        return ()
    # A password that is its user's name is no secret, and hiding it would hide that word everywhere.
    return () if password == user else (password, unquote(password))
